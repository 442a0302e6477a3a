// @microsoft/microsoft-graph-client: the resources of a mailbox, a drive and a directory, batches, and faults.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { apps, tenants, users } from './directory.mjs';
import { fault, graph, load } from './environment.mjs';
import { refused } from './expect.mjs';
import { confidentialClient, interactive, publicClient, scope } from './msal.mjs';
import { Suite } from './report.mjs';

const {
  BatchRequestContent, BatchResponseContent, Client, GraphError, PageIterator, ResponseType, RetryHandlerOptions,
} = load.require('@microsoft/microsoft-graph-client');
const providers = '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials';
const { TokenCredentialAuthenticationProvider } = load.require(providers);

const suite = new Suite(`graph-client ${load.version('@microsoft/microsoft-graph-client')}`);

// A token is attached only for hosts in this list, and they are compared without their port.
const there = { baseUrl: `${graph}/`, customHosts: new Set([new URL(graph).hostname]) };

/** A client of Graph in the name of `user`. Each has signed in for itself. */
async function client(scopes, user = users.adele, more = {}) {
  const { accessToken } = await interactive(publicClient(), user, { scopes });
  return Client.init({ ...there, authProvider: (done) => done(null, accessToken), ...more });
}

await suite.case('/me', async () => {
  const me = await (await client(['User.Read'])).api('/me').get();
  assert.equal(me.id, users.adele.id);
  assert.equal(me.displayName, 'Adele Vance');
  assert.match(me['@odata.context'], /\$metadata#users\/\$entity$/);
});

await suite.case('/me with select', async () => {
  const me = await (await client(['User.Read'])).api('/me').select(['displayName', 'mail']).get();
  assert.deepEqual(Object.keys(me).filter((key) => !key.startsWith('@')).sort(), ['displayName', 'mail']);
});

await suite.case('the token of a credential of MSAL, through the provider of the library', async () => {
  const application = publicClient();
  const { account } = await interactive(application, users.adele, { scopes: ['User.Read'] });
  const credential = {
    getToken: async (scopes) => {
      const { accessToken, expiresOn } = await application.acquireTokenSilent({ account, scopes: [scopes].flat() });
      return { token: accessToken, expiresOnTimestamp: expiresOn.getTime() };
    },
  };
  const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes: ['User.Read'] });
  const me = await Client.initWithMiddleware({ ...there, authProvider }).api('/me').get();
  assert.equal(me.userPrincipalName, users.adele.upn);
});

await suite.case('without customHosts no token is sent', async () => {
  const stranger = await client(['User.Read'], users.adele, { customHosts: undefined });
  const error = await refused(stranger.api('/me').get());
  assert.deepEqual([error.statusCode, error.code], [401, 'InvalidAuthenticationToken']);
});

await suite.case('a token for another API is refused', async () => {
  const error = await refused((await client([scope(apps.orders)])).api('/me').get());
  assert.deepEqual([error.statusCode, error.code], [401, 'InvalidAuthenticationToken']);
});

await suite.case('a scope that is missing is 403', async () => {
  const error = await refused((await client(['User.Read'], users.alex)).api('/me/messages').get());
  assert.ok(error instanceof GraphError, error.name);
  assert.equal(error.statusCode, 403);
  assert.match(error.code, /ErrorAccessDenied|Authorization_RequestDenied/);
  assert.ok(error.requestId, 'the error has a request id');
});

await suite.case('a path that nobody serves', async () => {
  const error = await refused((await client(['User.Read'])).api('/me/nothing').get());
  assert.ok([400, 404].includes(error.statusCode), `${error.statusCode}`);
});

await suite.case('users: a page, and all of them with PageIterator', async () => {
  const reader = await client(['User.ReadBasic.All']);
  const page = await reader.api('/users').top(1).select('userPrincipalName').get();
  assert.equal(page.value.length, 1);
  assert.ok(page['@odata.nextLink'].startsWith(`${graph}/v1.0/users?`), page['@odata.nextLink']);
  const names = [];
  await new PageIterator(reader, page, ({ userPrincipalName }) => names.push(userPrincipalName) > 0).iterate();
  assert.ok(names.includes(users.adele.upn) && names.includes(users.alex.upn), `${names}`);
  assert.ok(!names.includes(users.farah.upn), 'nobody of another tenant');
  assert.equal(new Set(names).size, names.length, 'nobody twice');
});

await suite.case('users: the iterator stops and goes on', async () => {
  const reader = await client(['User.ReadBasic.All']);
  const names = [];
  const iterator = new PageIterator(reader, await reader.api('/users').top(1).get(), ({ id }) => names.push(id) < 1);
  await iterator.iterate();
  assert.deepEqual([names.length, iterator.isComplete()], [1, false]);
  await iterator.resume();
  assert.ok(names.length > 1, `${names}`);
});

await suite.case('messages: paging, and one by its id', async () => {
  const reader = await client(['Mail.Read']);
  const page = await reader.api('/me/messages').top(2).select(['subject', 'receivedDateTime']).get();
  assert.equal(page.value.length, 2);
  const all = [];
  await new PageIterator(reader, page, ({ id }) => all.push(id) > 0).iterate();
  assert.ok(all.length > 2, `${all.length} messages`);
  assert.equal(new Set(all).size, all.length, 'no message twice');
  const one = await reader.api(`/me/messages/${all[0]}`).get();
  assert.equal(one.id, all[0]);
  assert.equal(one.subject, page.value[0].subject);
});

await suite.case('events: those of a day', async () => {
  const reader = await client(['Calendars.Read']);
  const { value } = await reader.api('/me/events').top(5).get();
  assert.ok(value.length > 0, 'there are events');
  for (const { subject, start } of value) assert.ok(subject && start.dateTime && start.timeZone);
  const from = new Date(Date.now() - 365 * 24 * 3600_000).toISOString();
  const to = new Date(Date.now() + 365 * 24 * 3600_000).toISOString();
  const view = await reader.api('/me/calendarView').query({ startDateTime: from, endDateTime: to }).get();
  assert.ok(Array.isArray(view.value));
});

await suite.case('drive: the root, its children and the content of a file', async () => {
  const reader = await client(['Files.Read']);
  assert.ok((await reader.api('/me/drive').get()).driveType);
  const { value } = await reader.api('/me/drive/root/children').get();
  const file = value.find((item) => item.file);
  assert.ok(file, 'there is a file');
  const content = await reader.api(`/me/drive/items/${file.id}/content`).responseType(ResponseType.ARRAYBUFFER).get();
  assert.equal(content.byteLength, file.size);
});

await suite.case('memberOf and getMemberObjects', async () => {
  const reader = await client(['User.Read', 'GroupMember.Read.All']);
  const { value } = await reader.api('/me/memberOf').get();
  assert.deepEqual(value.map((group) => group.displayName), ['Retail']);
  assert.equal(value[0]['@odata.type'], '#microsoft.graph.group');
  const ids = await reader.api('/me/getMemberObjects').post({ securityEnabledOnly: false });
  assert.deepEqual(ids.value, [value[0].id]);
});

await suite.case('photo', async () => {
  const reader = await client(['User.Read']);
  const bytes = await reader.api('/me/photo/$value').responseType(ResponseType.ARRAYBUFFER).get();
  assert.ok(bytes.byteLength > 0);
});

await suite.case('sendMail, and read back', async () => {
  const writer = await client(['Mail.Send', 'Mail.Read']);
  const subject = `Greetings ${randomUUID()}`;
  const message = {
    subject,
    body: { contentType: 'Text', content: 'Sent by a test.' },
    toRecipients: [{ emailAddress: { address: 'adele.vance@contoso.example' } }],
  };
  const { status } = await writer.api('/me/sendMail').responseType(ResponseType.RAW).post({ message, saveToSentItems: true });
  assert.equal(status, 202);
  const { value } = await writer.api('/me/messages').filter(`subject eq '${subject}'`).get();
  assert.ok(value.length > 0 && value.every((found) => found.subject === subject), `${value.length} found`);
});

await suite.case('an event that is made is found again', async () => {
  const writer = await client(['Calendars.ReadWrite']);
  const start = { dateTime: '2030-01-07T10:00:00', timeZone: 'UTC' };
  const end = { dateTime: '2030-01-07T11:00:00', timeZone: 'UTC' };
  const made = await writer.api('/me/events').post({ subject: 'Stocktaking', start, end });
  assert.equal((await writer.api(`/me/events/${made.id}`).get()).subject, 'Stocktaking');
});

// Addresses in a batch are without a version; the client only takes the host off.
await suite.case('batch: answers by id, good and bad', async () => {
  const reader = await client(['User.Read'], users.alex);
  const batch = new BatchRequestContent([
    { id: '1', request: new Request(`${graph}/me?$select=displayName`, { method: 'GET' }) },
    { id: '2', request: new Request(`${graph}/me/messages`, { method: 'GET' }) },
  ]);
  const answers = new BatchResponseContent(await reader.api('/$batch').post(await batch.getContent()));
  assert.equal(answers.getResponseById('1').status, 200);
  assert.equal((await answers.getResponseById('1').json()).displayName, 'Alex Wilber');
  assert.equal(answers.getResponseById('2').status, 403);
});

await suite.case('batch: what depends on a failure is 424', async () => {
  const reader = await client(['User.Read'], users.alex);
  const batch = new BatchRequestContent([
    { id: '1', request: new Request(`${graph}/me/messages`, { method: 'GET' }) },
    { id: '2', request: new Request(`${graph}/me`, { method: 'GET' }), dependsOn: ['1'] },
  ]);
  const answers = new BatchResponseContent(await reader.api('/$batch').post(await batch.getContent()));
  assert.equal(answers.getResponseById('1').status, 403);
  assert.equal(answers.getResponseById('2').status, 424);
});

await suite.case('an application without a user: no /me, but /users with a role', async () => {
  const { accessToken } = await confidentialClient(apps.daemon)
    .acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] });
  const application = Client.init({ ...there, authProvider: (done) => done(null, accessToken) });
  assert.equal((await refused(application.api('/me').get())).statusCode, 400);
  const { value } = await application.api('/users').get();
  assert.ok(value.some(({ id }) => id === users.adele.id));
});

for (const [status, retryAfter] of [[429, 1], [503, 1], [504, undefined]]) {
  await suite.case(`${status} is asked again, and then answered`, async () => {
    const reader = await client(['User.Read']);
    await fault('graph', status, 2, retryAfter);
    const started = Date.now();
    const me = await reader.api('/me').middlewareOptions([new RetryHandlerOptions(1, 3)]).get();
    assert.equal(me.id, users.adele.id);
    assert.ok(Date.now() - started >= 1_900, 'it waited twice');
  });
}

await suite.case('429 for longer than the client has patience', async () => {
  const reader = await client(['User.Read']);
  await fault('graph', 429, 2, 0);
  const error = await refused(reader.api('/me').middlewareOptions([new RetryHandlerOptions(0, 1)]).get());
  assert.equal(error.statusCode, 429);
  assert.equal((await reader.api('/me').get()).id, users.adele.id);
});

await suite.case('500 is not asked again', async () => {
  const reader = await client(['User.Read']);
  await fault('graph', 500, 1);
  assert.equal((await refused(reader.api('/me').get())).statusCode, 500);
  assert.equal((await reader.api('/me').get()).id, users.adele.id);
});

await suite.case('the directory of the tenant', async () => {
  const { value } = await (await client(['User.Read'])).api('/organization').get();
  assert.deepEqual(value.map(({ id }) => id), [tenants.contoso.id]);
});

suite.end();
