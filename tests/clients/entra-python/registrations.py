"""The registrations file for the emulator, written from world.py and the keys that materials.py made."""

from __future__ import annotations

from pathlib import Path

import world as w

TEXT = f'''
[[tenants]]
id = "{w.TENANT}"
domain = "{w.DOMAIN}"
name = "Contoso"

[[tenants]]
id = "{w.PARTNER_TENANT}"
domain = "fabrikam.example"
name = "Fabrikam"

[[apps]]
client_id = "{w.DESKTOP}"
name = "Desktop"
tenant = "{w.TENANT}"
is_fallback_public_client = true
redirect_uris = {{ public_client = ["http://localhost", "{w.REDIRECT}"] }}
api_permissions = [
    {{ resource = "{w.GRAPH_ID}", delegated = ["GroupMember.Read.All"], admin_consented = true }},
    {{ resource = "{w.VAULT_ID}", delegated = ["user_impersonation"] }},
]

[[apps]]
client_id = "{w.TRAVELLER}"
name = "Traveller"
tenant = "{w.TENANT}"
sign_in_audience = "AzureADandPersonalMicrosoftAccount"
requested_access_token_version = 2
is_fallback_public_client = true
redirect_uris = {{ public_client = ["http://localhost", "{w.REDIRECT}"] }}

[[apps]]
client_id = "{w.WEB}"
name = "Web shop"
tenant = "{w.TENANT}"
secrets = ["{w.secret(w.WEB)}"]
redirect_uris = {{ web = ["{w.REDIRECT}"] }}

[[apps]]
client_id = "{w.ORDERS}"
name = "Orders"
tenant = "{w.TENANT}"
identifier_uris = ["{w.ORDERS_URI}"]
requested_access_token_version = 2
secrets = ["{w.secret(w.ORDERS)}"]
certificates = [{{ pem = """{{daemon_certificate}}""" }}]
optional_claims = {{ access_token = ["xms_cc", "idtyp"] }}
scopes = [
    {{ value = "Orders.Read", description = "Read your orders" }},
    {{ value = "Orders.Admin", description = "Administer orders", admin_consent_required = true }},
]
app_roles = [{{ value = "{w.ORDERS_ROLE}", description = "Process all orders", member_types = ["Application"] }}]
api_permissions = [
    {{ resource = "{w.GRAPH_ID}", delegated = ["User.Read"], admin_consented = true }},
    {{ resource = "{w.PAYROLL}", delegated = ["Payslips.Read"], admin_consented = true }},
]

[[apps]]
client_id = "{w.BILLING}"
name = "Billing"
tenant = "{w.TENANT}"
identifier_uris = ["{w.BILLING_URI}"]
requested_access_token_version = 2
secrets = ["{w.secret(w.BILLING)}"]
scopes = [{{ value = "Bills.Read", description = "Read your bills" }}]

[[apps]]
client_id = "{w.PAYROLL}"
name = "Payroll"
tenant = "{w.TENANT}"
identifier_uris = ["{w.PAYROLL_URI}"]
requested_access_token_version = 2
secrets = ["{w.secret(w.PAYROLL)}"]
scopes = [{{ value = "Payslips.Read", description = "Read your payslips" }}]

[[apps]]
client_id = "{w.DAEMON}"
name = "Daemon"
tenant = "{w.TENANT}"
secrets = ["{w.secret(w.DAEMON)}"]
expired_secrets = ["{w.expired_secret(w.DAEMON)}"]
certificates = [{{ pem = """{{daemon_certificate}}""" }}]
federated_credentials = [
    {{ name = "cluster", issuer = "{w.CLUSTER_ISSUER}", subject = "{w.CLUSTER_SUBJECT}", jwks = \'\'\'{{cluster_keys}}\'\'\' }},
]
api_permissions = [{{ resource = "{w.ORDERS}", application = ["{w.ORDERS_ROLE}"], admin_consented = true }}]

[[apps]]
client_id = "{w.MACHINE}"
name = "Machine"
tenant = "{w.TENANT}"
api_permissions = [{{ resource = "{w.ORDERS}", application = ["{w.ORDERS_ROLE}"], admin_consented = true }}]

[[apps]]
client_id = "{w.ROBOT}"
name = "Robot"
tenant = "{w.TENANT}"
api_permissions = [{{ resource = "{w.ORDERS}", application = ["{w.ORDERS_ROLE}"], admin_consented = true }}]

[[managed_identities]]
app = "{w.MACHINE}"
system_assigned = true

[[managed_identities]]
app = "{w.ROBOT}"
resource_id = "{w.ROBOT_RESOURCE}"

[[groups]]
id = "{w.STAFF_GROUP}"
tenant = "{w.TENANT}"
display_name = "Staff"
members = ["{w.ADELE_ID}", "{w.ALEX_ID}"]

[[conditional_access]]
name = "A second factor for payslips"
tenant = "{w.TENANT}"
resources = ["{w.PAYROLL}"]
control = "mfa"

[[vaults]]
name = "{w.VAULT}"
tenant = "{w.TENANT}"
readers = ["{w.ADELE_ID}", "{w.DAEMON}", "{w.ROBOT}"]
'''

USER = """
[[users]]
id = "{id}"
tenant = "{tenant}"
user_principal_name = "{upn}"
display_name = "{name}"
given_name = "{given_name}"
surname = "{surname}"
mail = "{upn}"
job_title = "Clerk"
"""


def _users() -> str:
    people = [
        (w.ADELE_ID, w.TENANT, w.ADELE, "Adele Vance"),
        (w.ALEX_ID, w.TENANT, w.ALEX, "Alex Wilber"),
        (w.GRACE_ID, w.TENANT, w.GRACE, "Grace Orr"),
        (w.NESTOR_ID, w.TENANT, w.NESTOR, "Nestor Wilke"),
        (w.MO_ID, w.TENANT, w.MO, "Mo Vega"),
        (w.RITA_ID, w.TENANT, w.RITA, "Rita Stone"),
        (w.FARAH_ID, w.PARTNER_TENANT, w.FARAH, "Farah Nadim"),
        (w.PAT_ID, w.CONSUMERS, w.PAT, "Pat Home"),
    ]
    text = ""
    for id, tenant, upn, name in people:
        given_name, surname = name.split()
        text += USER.format(id=id, tenant=tenant, upn=upn, name=name, given_name=given_name, surname=surname)
    guest = f"farah_fabrikam.example#EXT#@{w.DOMAIN}"
    text += USER.format(
        id=w.FARAH_AS_GUEST, tenant=w.TENANT, upn=guest, name="Farah Nadim", given_name="Farah", surname="Nadim"
    )
    return text + f'home = "{w.FARAH_ID}"\n'


def write(file: Path, keys: Path) -> None:
    """Writes the file; `keys` is the folder that materials.py filled."""
    text = TEXT.replace("{daemon_certificate}", (keys / "daemon.cert.pem").read_text())
    text = text.replace("{cluster_keys}", (keys / "cluster.jwks.json").read_text())
    secrets = "\n".join(f'{name} = "{value}"' for name, value in w.VAULT_SECRETS.items())
    file.write_text(f"{text}\n[vaults.secrets]\n{secrets}\n{_users()}")
