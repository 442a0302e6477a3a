"""msgraph-sdk: sending mail and making appointments, and reading them back."""

from __future__ import annotations

from msgraph import GraphServiceClient
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody

import world as w
from bench import Bench
from cases import equal, holds, of
from graph_client import refused, signed_in

case = of("msgraph-sdk")


def a_message(subject: str, to: str) -> Message:
    """A message with some text."""
    return Message(
        subject=subject,
        body=ItemBody(content_type=BodyType.Text, content="Good morning."),
        to_recipients=[Recipient(email_address=EmailAddress(address=to))],
    )


async def send(client: GraphServiceClient, message: Message) -> None:
    """sendMail."""
    await client.me.send_mail.post(SendMailPostRequestBody(message=message, save_to_sent_items=True))


@case("sendMail, and read it back at the other end")
async def mail(bench: Bench) -> None:
    sender = signed_in(bench, w.ADELE, ["Mail.Send"])
    await send(sender, a_message("Order 17", w.GRACE))
    receiver = signed_in(bench, w.GRACE, ["Mail.Read"])
    found = await receiver.me.messages.get()
    assert found is not None and found.value is not None
    (message,) = [m for m in found.value if m.subject == "Order 17"]
    assert message.from_ is not None and message.from_.email_address is not None and message.id is not None
    equal("from", message.from_.email_address.address, w.ADELE)
    one = await receiver.me.messages.by_message_id(message.id).get()
    assert one is not None and one.body is not None
    equal("text", (one.body.content or "").strip(), "Good morning.")


@case("mail: refusals")
async def mail_refused(bench: Bench) -> None:
    bench.admin.forget_consents()
    reader = signed_in(bench, w.NESTOR, ["Mail.Read"])
    await refused(send(reader, a_message("x", w.GRACE)), 403, "ErrorAccessDenied", "Authorization_RequestDenied")
    await refused(reader.me.messages.by_message_id("nothing").get(), 400, "ErrorInvalidIdMalformed")


@case("an appointment: made, read, listed")
async def event(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["Calendars.ReadWrite"])
    made = await client.me.events.post(
        Event(
            subject="Stocktaking",
            body=ItemBody(content_type=BodyType.Text, content="Bring a pen."),
            start=DateTimeTimeZone(date_time="2026-12-01T09:00:00", time_zone="UTC"),
            end=DateTimeTimeZone(date_time="2026-12-01T10:00:00", time_zone="UTC"),
        )
    )
    assert made is not None and made.id is not None
    found = await client.me.events.by_event_id(made.id).get()
    assert found is not None and found.start is not None
    equal("subject", found.subject, "Stocktaking")
    holds("start", (found.start.date_time or "").startswith("2026-12-01T09:00:00"), found.start.date_time)
    listed = await client.me.events.get()
    holds("it is listed", listed and any(e.id == made.id for e in listed.value or []))


@case("an appointment: refused to a reader")
async def event_refused(bench: Bench) -> None:
    bench.admin.forget_consents()
    client = signed_in(bench, w.NESTOR, ["Calendars.Read"])
    posting = client.me.events.post(Event(subject="x"))
    await refused(posting, 403, "ErrorAccessDenied", "Authorization_RequestDenied")
