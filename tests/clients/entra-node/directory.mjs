// Who exists in the emulated directory: the ids that the cases use, and the registrations file made of them.

const CONTOSO = '7e57a000-0000-4000-8000-0000000000a1';
const FABRIKAM = '7e57a000-0000-4000-8000-0000000000a2';
const GRAPH = '00000003-0000-0000-c000-000000000000';

const app = (n) => `7e57c000-0000-4000-8000-0000000000${n}`;
const user = (n) => `7e57b000-0000-4000-8000-0000000000${n}`;

export const tenants = {
  contoso: { id: CONTOSO, domain: 'contoso.example' },
  fabrikam: { id: FABRIKAM, domain: 'fabrikam.example' },
  // The directory of all personal accounts, the same for everybody.
  consumers: { id: '9188040d-6c67-4c5b-b112-36a304b66dad' },
};

export const users = {
  adele: { id: user('b1'), upn: 'adele@contoso.example' },
  alex: { id: user('b2'), upn: 'alex@contoso.example' },
  farah: { id: user('b3'), upn: 'farah@fabrikam.example' },
  // Farah again, as Contoso's guest.
  guest: { id: user('b4'), upn: 'farah_fabrikam.example#EXT#@contoso.example' },
  // The directory gives personal accounts ids that begin so.
  pat: { id: '00000000-0000-0000-7e57-0000000000b5', upn: 'pat@personal.example' },
};

/** Where the answer of the authorize endpoint goes; nobody listens there. */
export const callback = 'http://localhost/callback';

export const apps = {
  /** A program on somebody's machine. */
  desktop: app('c1'),
  /** The same, for every directory and personal accounts. */
  everybody: app('c2'),
  /** A web application with a secret, an old secret and a certificate. */
  web: { id: app('c3'), secret: 'web-secret-for-a-test', expired: 'web-secret-of-last-year' },
  /** An API that calls others on behalf of its users. */
  orders: { id: app('c4'), secret: 'orders-secret-for-a-test', uri: 'api://orders.contoso.example', scope: 'orders.read' },
  /** An API behind a Conditional Access policy. */
  payroll: { id: app('c5'), uri: 'api://payroll.contoso.example', scope: 'payroll.read' },
  /** A program without a user. */
  daemon: { id: app('c6'), secret: 'daemon-secret-for-a-test' },
  /** Identities of the machine. */
  system: app('c7'),
  assigned: { id: app('c8'), resource: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulated' },
};

/** A vault with one secret. */
export const vault = { name: 'contoso-test', secret: 'greeting', value: 'hello from the vault' };

/** The issuer of workload identities. Nothing listens there: its keys are in the registration. */
export const cluster = { issuer: 'https://cluster.example/oidc', subject: 'system:serviceaccount:default:orders' };

/** The registrations file. `certificate` is PEM, `jwks` the key set of `cluster` as JSON. */
export function registrations({ certificate, jwks }) {
  const pem = `certificates = [{ pem = """${certificate}""" }]`;
  const federated = `federated_credentials = [
    { name = "cluster", issuer = "${cluster.issuer}", subject = "${cluster.subject}", jwks = '${jwks}' },
]`;
  return `
${tenant('contoso', 'Contoso')}
${tenant('fabrikam', 'Fabrikam')}

[[users]]
id = "${users.adele.id}"
tenant = "${CONTOSO}"
user_principal_name = "${users.adele.upn}"
display_name = "Adele Vance"
given_name = "Adele"
surname = "Vance"
job_title = "Retail Manager"
mail = "adele.vance@contoso.example"

${person(users.alex, CONTOSO, 'Alex Wilber')}
${person(users.farah, FABRIKAM, 'Farah Nadim')}
${person(users.guest, CONTOSO, 'Farah Nadim')}
home = "${users.farah.id}"
${person(users.pat, tenants.consumers.id, 'Pat Personal')}

[[groups]]
id = "7e57d000-0000-4000-8000-0000000000d1"
tenant = "${CONTOSO}"
display_name = "Retail"
members = ["${users.adele.id}", "${users.alex.id}"]

[[apps]]
client_id = "${apps.desktop}"
name = "Desktop"
tenant = "${CONTOSO}"
is_fallback_public_client = true
redirect_uris = { public_client = ["http://localhost", "${callback}"] }
api_permissions = [
    { resource = "${apps.orders.id}", delegated = ["${apps.orders.scope}"] },
    { resource = "${apps.payroll.id}", delegated = ["${apps.payroll.scope}"] },
    { resource = "${GRAPH}", delegated = ["User.Read"] },
    { resource = "${GRAPH}", delegated = ["GroupMember.Read.All"], admin_consented = true },
]

[[apps]]
client_id = "${apps.everybody}"
name = "Desktop for everybody"
tenant = "${CONTOSO}"
sign_in_audience = "AzureADandPersonalMicrosoftAccount"
requested_access_token_version = 2
is_fallback_public_client = true
redirect_uris = { public_client = ["http://localhost", "${callback}"] }
api_permissions = [{ resource = "${GRAPH}", delegated = ["User.Read"] }]

[[apps]]
client_id = "${apps.web.id}"
name = "Web"
tenant = "${CONTOSO}"
secrets = ["${apps.web.secret}"]
expired_secrets = ["${apps.web.expired}"]
${pem}
redirect_uris = { web = ["${callback}"] }
api_permissions = [
    { resource = "${apps.orders.id}", delegated = ["${apps.orders.scope}"] },
    { resource = "${GRAPH}", delegated = ["User.Read"] },
]

[[apps]]
client_id = "${apps.orders.id}"
name = "Orders"
tenant = "${CONTOSO}"
identifier_uris = ["${apps.orders.uri}"]
requested_access_token_version = 2
emit_idtyp = true
secrets = ["${apps.orders.secret}"]
${pem}
${federated}
optional_claims = { access_token = ["xms_cc"] }
scopes = [{ value = "${apps.orders.scope}", description = "Read your orders" }]
app_roles = [{ value = "Orders.Read.All", description = "Read all orders", member_types = ["Application"] }]
api_permissions = [
    { resource = "${GRAPH}", delegated = ["User.Read"], admin_consented = true },
    { resource = "${apps.payroll.id}", delegated = ["${apps.payroll.scope}"], admin_consented = true },
]

[[apps]]
client_id = "${apps.payroll.id}"
name = "Payroll"
tenant = "${CONTOSO}"
identifier_uris = ["${apps.payroll.uri}"]
requested_access_token_version = 2
scopes = [{ value = "${apps.payroll.scope}", description = "Read your pay slips" }]

[[conditional_access]]
name = "Pay slips need a second factor"
tenant = "${CONTOSO}"
resources = ["${apps.payroll.id}"]
control = "mfa"

[[apps]]
client_id = "${apps.daemon.id}"
name = "Daemon"
tenant = "${CONTOSO}"
secrets = ["${apps.daemon.secret}"]
${pem}
${federated}
api_permissions = [
    { resource = "${apps.orders.id}", application = ["Orders.Read.All"], admin_consented = true },
    { resource = "${GRAPH}", application = ["User.Read.All"], admin_consented = true },
]

[[apps]]
client_id = "${apps.system}"
name = "Machine"
tenant = "${CONTOSO}"
api_permissions = [{ resource = "${apps.orders.id}", application = ["Orders.Read.All"], admin_consented = true }]

[[apps]]
client_id = "${apps.assigned.id}"
name = "Machine, assigned"
tenant = "${CONTOSO}"
api_permissions = [{ resource = "${apps.orders.id}", application = ["Orders.Read.All"], admin_consented = true }]

[[managed_identities]]
app = "${apps.system}"
system_assigned = true

[[managed_identities]]
app = "${apps.assigned.id}"
resource_id = "${apps.assigned.resource}"

[[vaults]]
name = "${vault.name}"
tenant = "${CONTOSO}"
readers = ["${apps.daemon.id}", "${apps.system}"]
secrets = { ${vault.secret} = "${vault.value}" }
`;
}

function tenant(key, name) {
  const { id, domain } = tenants[key];
  return `[[tenants]]\nid = "${id}"\ndomain = "${domain}"\nname = "${name}"\n`;
}

function person({ id, upn }, home, name) {
  return `[[users]]\nid = "${id}"\ntenant = "${home}"\nuser_principal_name = "${upn}"\ndisplay_name = "${name}"\n`;
}
