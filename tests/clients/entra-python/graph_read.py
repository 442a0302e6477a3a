"""msgraph-sdk: reading people, groups, mail, calendar, files and photo."""

from __future__ import annotations

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.group import Group
from msgraph.generated.models.message import Message
from msgraph.generated.users.item.get_member_objects.get_member_objects_post_request_body import (
    GetMemberObjectsPostRequestBody,
)
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph_core import GraphClientFactory, PageIterator
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

import world as w
from bench import Bench
from cases import contains, equal, holds, of
from graph_client import READ, collector, query, refused, signed_in
from graph_write import a_message, send

case = of("msgraph-sdk")


@case("me")
async def me(bench: Bench) -> None:
    found = await signed_in(bench, w.ADELE, READ).me.get()
    assert found is not None
    got = (found.id, found.user_principal_name, found.display_name, found.given_name, found.surname, found.job_title)
    equal("me", got, (w.ADELE_ID, w.ADELE, "Adele Vance", "Adele", "Vance", "Clerk"))


@case("me with $select")
async def select(bench: Bench) -> None:
    chosen = query(UserItemRequestBuilder, select=["displayName", "department"])
    found = await signed_in(bench, w.ADELE, READ).me.get(request_configuration=chosen)
    assert found is not None
    equal("me", (found.display_name, found.id, found.user_principal_name), ("Adele Vance", None, None))
    wrong = query(UserItemRequestBuilder, select=["displayName", "shoeSize"])
    client = signed_in(bench, w.ADELE, READ)
    await refused(client.me.get(request_configuration=wrong), 400, "BadRequest")


@case("another person, and one who does not exist")
async def other_people(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.ReadBasic.All"])
    for name in (w.ALEX_ID, w.ALEX):
        found = await client.users.by_user_id(name).get()
        equal(name, found and found.id, w.ALEX_ID)
    await refused(client.users.by_user_id("nobody@contoso.example").get(), 404, "Request_ResourceNotFound")
    await refused(client.users.by_user_id(w.FARAH_ID).get(), 404, "Request_ResourceNotFound")


@case("groups: memberOf and getMemberObjects")
async def groups(bench: Bench) -> None:
    client = signed_in(bench, w.ALEX, READ)
    found = await client.me.member_of.get()
    assert found is not None and found.value is not None
    equal(
        "memberOf", [(type(g), g.id, getattr(g, "display_name", None)) for g in found.value], [(Group, w.STAFF_GROUP, "Staff")]
    )
    body = GetMemberObjectsPostRequestBody(security_enabled_only=False)
    ids = await client.me.get_member_objects.post(body)
    equal("getMemberObjects", ids and ids.value, [w.STAFF_GROUP])


@case("mail, page by page")
async def mail(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, [*READ, "Mail.Send"])
    for number in range(5):
        await send(client, a_message(f"Page {number}", w.ADELE))
    chosen = query(MessagesRequestBuilder, top=2, select=["subject", "from", "receivedDateTime"])
    page = await client.me.messages.get(request_configuration=chosen)
    assert page is not None and page.value is not None
    equal("items of the first page", len(page.value), 2)
    contains("the next page", page.odata_next_link, f"{bench.world.graph}/v1.0/")
    iterator, all_of_them = PageIterator(page, client.request_adapter), []
    await iterator.iterate(collector(all_of_them))
    holds("at least five", len(all_of_them) >= 5, len(all_of_them))
    holds("all are messages", all(isinstance(m, Message) for m in all_of_them))
    equal("none twice", len({m.id for m in all_of_them}), len(all_of_them))
    subjects = {m.subject for m in all_of_them}
    holds("all that were sent", {f"Page {number}" for number in range(5)} <= subjects, subjects)
    some: list[Message] = []
    await PageIterator(page, client.request_adapter).iterate(collector(some, limit=3))
    equal("stopped after three", len(some), 3)


@case("events, files, photo")
async def the_rest(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, READ)
    events = await client.me.events.get()
    holds("events", events is not None and events.value is not None)
    drive = await client.me.drive.get()
    assert drive is not None and drive.id is not None
    children = await client.drives.by_drive_id(drive.id).items.by_drive_item_id("root").children.get()
    assert children is not None and children.value is not None
    holds("files have names", children.value and all(item.id and item.name for item in children.value), children.value)
    photo = await client.me.photo.content.get()
    holds("the photo is JPEG or PNG", photo is not None and photo[:4] in (b"\xff\xd8\xff\xe0", b"\x89PNG"), photo and photo[:4])


@case("batch: several at once, some of which fail")
async def batch(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, READ)
    good = BatchRequestItem(client.me.to_get_request_information(), id="good")
    bad = BatchRequestItem(client.users.by_user_id("nobody@contoso.example").messages.to_get_request_information(), id="bad")
    after = BatchRequestItem(client.me.member_of.to_get_request_information(), id="after", depends_on=["good"])
    dependent = BatchRequestItem(client.me.to_get_request_information(), id="dependent", depends_on=["bad"])
    content = BatchRequestContent({item.id: item for item in (good, bad, after, dependent)})
    answer = await client.batch.post(content)
    statuses = answer.get_response_status_codes()  # type: ignore[union-attr]
    # msgraph-core writes `depends_on`, which means nothing to Graph, so nothing fails for want of "bad".
    equal("good, after and dependent", [statuses.get(i) for i in ("good", "after", "dependent")], [200, 200, 200])
    holds("bad", statuses["bad"] in (403, 404), statuses)
    # Of the bodies msgraph-core reads those that are text, so neither Graph's JSON nor this emulator's.
    contains("type of good", answer.get_response_by_id("good").content_type, "application/json")  # type: ignore[union-attr]


@case("a double slash, and the placeholder for me")
async def peculiarities(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, READ)
    client.request_adapter.base_url = f"{bench.world.graph}/v1.0/"
    doubled = GraphServiceClient(request_adapter=client.request_adapter)
    found = await doubled.me.get()
    equal("with a double slash", found and found.id, w.ADELE_ID)
    # Without the URL replacement that the stock adapter installs.
    plain = GraphRequestAdapter(
        client.request_adapter._authentication_provider, client=GraphClientFactory.create_with_default_middleware()
    )
    plain.base_url = f"{bench.world.graph}/v1.0"
    seen: list[str] = []
    plain._http_client.event_hooks["request"].append(_noting(seen))
    found = await GraphServiceClient(request_adapter=plain).me.get()
    equal("with the placeholder", found and found.id, w.ADELE_ID)
    contains("what was sent", seen, "/users/me-token-to-replace")


def _noting(seen: list[str]) -> object:
    async def note(request: object) -> None:
        seen.append(str(request.url))  # type: ignore[attr-defined]

    return note


@case("ids of the client come back")
async def request_ids(bench: Bench) -> None:
    client = signed_in(bench, w.ADELE, ["User.ReadBasic.All"])
    configuration: RequestConfiguration = RequestConfiguration()
    configuration.headers.add("client-request-id", "7e57e000-0000-4000-8000-000000000001")
    error = await refused(
        client.users.by_user_id("nobody@contoso.example").get(request_configuration=configuration),
        404,
        "Request_ResourceNotFound",
    )
    assert error.error is not None and error.error.inner_error is not None
    equal("id", error.error.inner_error.client_request_id, "7e57e000-0000-4000-8000-000000000001")
