"""What the emulator's sample says of its users, and so what the tools must answer. Written by hand from
emulator/registrations.sample.toml, not computed from it: a mistake in the emulator should show here."""

CLIENT_ID = "7e57c000-0000-4000-8000-000000000002"
TENANT_ID = "7e57a000-0000-4000-8000-000000000001"
SCOPE = "mcp.access"
RESOURCE_URI = "valet://me/profile"
PROMPT = "introduce-me"
PROMPT_ARGUMENTS = {"audience": "a new team"}

ROLES = {"adele@contoso.example": ["Operator"], "alex@contoso.example": []}

PROFILES = {
    "adele@contoso.example": {
        "id": "7e57b000-0000-4000-8000-000000000001",
        "displayName": "Adele Vance",
        "givenName": "Adele",
        "surname": "Vance",
        "userPrincipalName": "adele@contoso.example",
        "mail": "adele.vance@contoso.example",
        "jobTitle": "Retail Manager",
        "department": "Retail",
        "officeLocation": "18/2111",
        "mobilePhone": "+49 151 0000001",
        "businessPhones": ["+49 30 000001"],
        "preferredLanguage": "en-GB",
    },
    "alex@contoso.example": {
        "id": "7e57b000-0000-4000-8000-000000000002",
        "displayName": "Alex Wilber",
        "givenName": "Alex",
        "surname": "Wilber",
        "userPrincipalName": "alex@contoso.example",
        "mail": "alex.wilber@contoso.example",
        "jobTitle": "Marketing Assistant",
        "department": "Marketing",
        "officeLocation": "131/1104",
        "businessPhones": ["+49 30 000002"],
        "preferredLanguage": "de-DE",
    },
}

PROFILE_TEXTS = {
    "adele@contoso.example": "Name: Adele Vance\n"
    "Sign-in name: adele@contoso.example\n"
    "Mail: adele.vance@contoso.example\n"
    "Job title: Retail Manager\n"
    "Department: Retail\n"
    "Office: 18/2111\n"
    "Mobile phone: +49 151 0000001\n"
    "Language: en-GB\n"
    "Object id: 7e57b000-0000-4000-8000-000000000001\n"
    "Business phones: +49 30 000001",
    "alex@contoso.example": "Name: Alex Wilber\n"
    "Sign-in name: alex@contoso.example\n"
    "Mail: alex.wilber@contoso.example\n"
    "Job title: Marketing Assistant\n"
    "Department: Marketing\n"
    "Office: 131/1104\n"
    "Language: de-DE\n"
    "Object id: 7e57b000-0000-4000-8000-000000000002\n"
    "Business phones: +49 30 000002",
}


def whoami(user: str, client_id: str = CLIENT_ID) -> dict[str, object]:
    """The structured content of `whoami`, through the client with that id."""
    profile = PROFILES[user]
    return {
        "kind": "user",
        "tenantId": TENANT_ID,
        "objectId": profile["id"],
        "clientId": client_id,
        "name": profile["displayName"],
        "scopes": [SCOPE],
        "roles": ROLES[user],
    }


def introduction(user: str) -> str:
    """How the first message of the prompt begins, for the arguments above."""
    return (
        "Write an introduction of me for a new team, in three or four sentences, from my profile below. "
        f"Write in my preferred language, which is {PROFILES[user]['preferredLanguage']}."
    )
