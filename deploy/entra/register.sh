#!/usr/bin/env bash
# Registers Valet as an application of the tenant that `az login` is signed in to, for one of the three ways to connect.
# docs/entra-setup.md says what each step is for, and how to do it by hand.
#
#   register.sh session PUBLIC_URL
#   register.sh facade  PUBLIC_URL REDIRECT_URI...
#   register.sh direct  PUBLIC_URL CLIENT_ID...
#
# It creates, and changes nothing that is there; where an application has the name already, it ends. Who runs it may create applications and consent for
# the tenant (Cloud Application Administrator, for instance). Needed beside az: bash, uuidgen.
set -euo pipefail
# The secret is for its owner alone.
umask 077

readonly graph=https://graph.microsoft.com/v1.0
readonly graph_app=00000003-0000-0000-c000-000000000000
readonly name=${VALET_APP_NAME:-Valet}
readonly scope=${VALET_SCOPE:-mcp.access}
readonly role=${VALET_ROLE:-Operator}
readonly secret_file=${VALET_SECRET_FILE:-client-secret.txt}

fail() {
  echo "register.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '5,7s/^# *//p' "$0" >&2
  exit 2
}

# Its arguments as a JSON array. They are put into JSON as they are, so they have to be plain.
json_list() {
  local out='' item
  for item in "$@"; do
    [[ $item =~ ^[A-Za-z0-9.:/_~-]+$ ]] || fail "'$item' has a character that no URI and no id here needs"
    out+=${out:+,}\"$item\"
  done
  printf '[%s]' "$out"
}

# A call to Microsoft Graph. What was just created is not there for every server of Entra at once, so a refusal is tried again for half a minute.
call() {
  local method=$1 path=$2 body=$3 query=$4 try
  for try in 1 2 3 4 5 6; do
    if az rest --method "$method" --uri "$graph$path" --headers Content-Type=application/json --body "$body" \
      --query "$query" --output tsv; then
      return
    fi
    echo "register.sh: try $try of 6 for $method $path did not work" >&2
    sleep 5
  done
  fail "$method $path was refused"
}

[[ $# -ge 2 ]] || usage
readonly mode=$1 public_url=$2
shift 2
[[ $public_url =~ ^https://[a-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9/_-]*[A-Za-z0-9_-]$ ]] ||
  fail "'$public_url' is not the public URL: https, a path such as /mcp, no slash at the end"
[[ ! -e $secret_file ]] || fail "$secret_file is there already; move it away, or name another in VALET_SECRET_FILE"
for text in "$name" "$scope" "$role"; do
  [[ $text =~ ^[A-Za-z0-9\ ._-]+$ ]] || fail "'$text': names are of letters, digits, spaces, dots and dashes here"
done
host=${public_url#https://}
host=${host%%/*}

clients=()
case $mode in
  session) [[ $# -eq 0 ]] || usage; redirects=$(json_list "https://$host/auth/callback") ;;
  facade) [[ $# -gt 0 ]] || usage; redirects=$(json_list "$@") ;;
  direct)
    redirects='[]'
    for client in "$@"; do
      [[ $client =~ ^[0-9a-fA-F-]{36}$ ]] || fail "'$client' is not the id of an application"
    done
    clients=("$@")
    ;;
  *) usage ;;
esac
scope_id=$(uuidgen | tr '[:upper:]' '[:lower:]')
role_id=$(uuidgen | tr '[:upper:]' '[:lower:]')
scopes='[]'
if [[ $mode != session ]]; then
  scopes=$(cat <<JSON
[{
    "id": "$scope_id", "value": "$scope", "type": "User", "isEnabled": true,
    "adminConsentDisplayName": "Use the tools of $name",
    "adminConsentDescription": "Lets the application use the tools of $name for the user.",
    "userConsentDisplayName": "Use the tools of $name",
    "userConsentDescription": "Lets the application use the tools of $name for you."
  }]
JSON
  )
fi
# Version 2 of access tokens: their `aud` is the client id, which is what Valet expects.
api() {
  printf '{"requestedAccessTokenVersion":2,"oauth2PermissionScopes":%s,"preAuthorizedApplications":%s}' "$scopes" "$1"
}

# The permissions are those of Microsoft Graph, delegated: openid, profile, offline_access, User.Read.
application=$(cat <<JSON
{
  "displayName": "$name",
  "signInAudience": "AzureADMyOrg",
  "web": { "redirectUris": $redirects },
  "api": $(api '[]'),
  "appRoles": [{
    "id": "$role_id", "value": "$role", "displayName": "$role", "description": "May use the tools that need this role.",
    "allowedMemberTypes": ["User"], "isEnabled": true
  }],
  "requiredResourceAccess": [{
    "resourceAppId": "$graph_app",
    "resourceAccess": [
      { "id": "37f7f235-527c-4136-accd-4a02d197296e", "type": "Scope" },
      { "id": "14dad69e-099b-42c9-810b-d002981feec1", "type": "Scope" },
      { "id": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "type": "Scope" },
      { "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope" }
    ]
  }]
}
JSON
)
# Whoever runs it again, after half of it went wrong perhaps, gets no second one of the same name. `value[]` is empty where there is none.
there=$(az rest --method GET --uri "$graph/applications" --uri-parameters "\$filter=displayName eq '$name'" --query 'value[].appId' --output tsv)
[[ -z $there ]] || fail "there is an application '$name' already: $there. Delete it in Entra, or name another in VALET_APP_NAME"
created=$(call POST /applications "$application" '[[id, appId]]')
read -r object_id client_id <<<"$created"

# What scopes and `resource` begin with. Entra takes an https URI only if its domain is verified in the tenant.
case $mode in
  facade) identifiers=$(json_list "api://$client_id") ;;
  direct) identifiers=$(json_list "$public_url") ;;
  *) identifiers='[]' ;;
esac
if [[ $identifiers != '[]' ]]; then
  call PATCH "/applications/$object_id" "{\"identifierUris\":$identifiers}" '[]'
fi

# Client applications that get tokens for this API without asking the user.
if [[ ${#clients[@]} -gt 0 ]]; then
  known=''
  for client in "${clients[@]}"; do
    known+=${known:+,}$(printf '{"appId":"%s","delegatedPermissionIds":["%s"]}' "$client" "$scope_id")
  done
  call PATCH "/applications/$object_id" "{\"api\":$(api "[$known]")}" '[]'
fi

# Only who is assigned may sign in; whoever runs this is the first.
principal=$(call POST /servicePrincipals "{\"appId\":\"$client_id\",\"appRoleAssignmentRequired\":true}" id)
me=$(az ad signed-in-user show --query id --output tsv)
call POST "/servicePrincipals/$principal/appRoleAssignedTo" \
  "{\"principalId\":\"$me\",\"resourceId\":\"$principal\",\"appRoleId\":\"$role_id\"}" '[]'

# Consent for everybody in the tenant, to these permissions and no others.
graph_principal=$(az rest --method GET --uri "$graph/servicePrincipals(appId='$graph_app')" --query id --output tsv)
call POST /oauth2PermissionGrants \
  "{\"clientId\":\"$principal\",\"consentType\":\"AllPrincipals\",\"resourceId\":\"$graph_principal\",\"scope\":\"openid profile offline_access User.Read\"}" '[]'

az ad app credential reset --id "$client_id" --append --display-name valet --years 1 --query password --output tsv >"$secret_file"
tenant=$(az account show --query tenantId --output tsv)

echo "The client secret is in $secret_file; it ends in a year. For valet.toml:" >&2
cat <<TOML
[server]
public_url = "$public_url"

[entra]
tenant = "$tenant"
client_id = "$client_id"
client_secret_file = "$secret_file"

[oauth]
mode = "$mode"
TOML
