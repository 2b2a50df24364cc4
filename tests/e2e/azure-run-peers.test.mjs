// azure-run beside Azure's own clients: @azure/identity and @azure/arm-compute do the same at the same stand-in, and the
// requests are compared field by field.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ComputeManagementClient } from '@azure/arm-compute';
import {
  ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential, WorkloadIdentityCredential,
} from '@azure/identity';
import { answering, azureRun, envOf, envWithoutSecret, starts } from './azure.mjs';
import { azureFor, file, folder, selfSigned } from './support.mjs';

const TLS = selfSigned({ after });
const TRUST = { tlsOptions: { ca: TLS.cert }, retryOptions: { maxRetries: 0 } };
const QUICKLY = { updateIntervalInMs: 10 };
const VERSION = /^\d{4}-\d{2}-\d{2}$/;

const identityOptions = (azure) => ({ authorityHost: azure.authorityUrl, disableInstanceDiscovery: true, ...TRUST });
const secretOf = (azure) => new ClientSecretCredential(azure.tenant, azure.clientId, azure.clientSecret, identityOptions(azure));

function computeFor(azure, credential = secretOf(azure)) {
  const credentials = { scopes: [`${azure.armUrl}/.default`] };
  return new ComputeManagementClient(credential, azure.subscription, { endpoint: azure.armUrl, credentials, ...TRUST });
}

const azureOverTls = (t, options) => azureFor(t, { tls: TLS, run: () => ({ stdout: 'out\n', stderr: 'err\n', exitCode: 0 }), ...options });

async function ours(azure, args, env = {}) {
  const result = await azureRun(azure, ['-n', 'linux-1', ...args], { env: { SSL_CERT_FILE: TLS.certFile, ...env } });
  assert.equal(result.code, 0, result.stderr);
  return result;
}

// What a request says, whoever sent it; the version's shape only, as each client has its own.
function said({ method, path, query, headers, json }) {
  const { 'api-version': version, ...rest } = query;
  assert.match(version, VERSION);
  assert.match(headers.authorization, /^Bearer \S+$/);
  return { method, path, query: rest, type: headers['content-type']?.split(';')[0], json };
}

// --- Running ---

const SCRIPT = ['echo "Grüße" \\ & | < > % ^', '', "echo 'two'"];
const RUNS = [
  ['a script', ['--raw', '--scripts', SCRIPT.join('\n'), '--shell', 'sh'],
    { commandId: 'RunShellScript', script: [SCRIPT.join('\n')] }],
  ['parameters', ['--raw', '--scripts', 'x', '--shell', 'sh', '--parameters', 'A=1', 'B=two "words"', 'C='],
    { commandId: 'RunShellScript', script: ['x'], parameters: [{ name: 'A', value: '1' }, { name: 'B', value: 'two "words"' }, { name: 'C', value: '' }] }],
  ['a command of Azure\'s', ['--command-id', 'ifconfig'], { commandId: 'ifconfig' }],
];
for (const [name, args, input] of RUNS) {
  test(`the same request as the official client's: ${name}`, async (t) => {
    const azure = await azureOverTls(t);
    await computeFor(azure).virtualMachines.runCommand(azure.resourceGroup, 'linux-1', input, QUICKLY);
    await ours(azure, args);
    const [theirs, mine] = starts(azure).map(said);
    assert.deepEqual(mine, theirs);
    const [first, second] = azure.runs.map(({ vm, script, parameters, commandId, kind }) => ({ vm, script, parameters, commandId, kind }));
    assert.deepEqual(second, first);
  });
}

test('the same result as the official client\'s, stream by stream', async (t) => {
  const azure = await azureOverTls(t);
  const { value } = await computeFor(azure).virtualMachines.runCommand(azure.resourceGroup, 'linux-1',
    { commandId: 'RunShellScript', script: ['x'] }, QUICKLY);
  const { stdout, stderr } = await ours(azure, ['--raw', '--scripts', 'x']);
  assert.equal(value[0].message, `Enable succeeded: \n[stdout]\n${stdout}\n[stderr]\n${stderr.split('opsbelt')[0]}`);
});

test('an operation is followed at the same address, verbatim, with long addresses too', async (t) => {
  const azure = await azureOverTls(t, { longUrls: true });
  await computeFor(azure).virtualMachines.runCommand(azure.resourceGroup, 'linux-1', { commandId: 'RunShellScript', script: ['x'] }, QUICKLY);
  const count = azure.requests.length;
  await ours(azure, ['--raw', '--scripts', 'x', '--shell', 'sh']);
  const isPoll = ({ path }) => path.includes('/operations/');
  const shape = ({ method, path, query }) => [method, path.replace(/[^/]+$/, ''), Object.keys(query).filter((key) => key !== 'monitor')];
  const theirs = azure.requests.slice(0, count).filter(isPoll)[0];
  const mine = azure.requests.slice(count).filter(isPoll)[0];
  assert.deepEqual(shape(mine), shape(theirs));
  assert.ok(mine.url.length > 5000);
});

test('an instance of a scale set: the same request', async (t) => {
  const azure = await azureOverTls(t, { scaleSets: [{ name: 'set', instances: ['4'] }] });
  await computeFor(azure).virtualMachineScaleSetVMs.runCommand(azure.resourceGroup, 'set', '4', { commandId: 'RunShellScript', script: ['x'] }, QUICKLY);
  const result = await azureRun(azure, ['--vmss', 'set', '--instance-id', '4', '--raw', '--shell', 'sh', '--scripts', 'x'], { env: { SSL_CERT_FILE: TLS.certFile } });
  assert.equal(result.code, 0, result.stderr);
  const [theirs, mine] = starts(azure).map(said);
  assert.deepEqual(mine, theirs);
});

test('a managed run command: the same requests, and what ours leaves the client can read', async (t) => {
  const azure = await azureOverTls(t);
  const compute = computeFor(azure);
  await compute.virtualMachineRunCommands.createOrUpdate(azure.resourceGroup, 'linux-1', 'theirs', {
    location: 'westeurope', source: { script: 'SCRIPT' }, asyncExecution: true, timeoutInSeconds: 5460, runAsUser: 'u', runAsPassword: 'p',
  }, QUICKLY);
  await compute.virtualMachineRunCommands.getByVirtualMachine(azure.resourceGroup, 'linux-1', 'theirs', { expand: 'instanceView' });
  await compute.virtualMachineRunCommands.delete(azure.resourceGroup, 'linux-1', 'theirs', QUICKLY);
  const count = azure.requests.length;
  await ours(azure, ['--managed', '--scripts', 'x', '--shell', 'sh', '--run-as', 'u'], { AZURE_RUN_AS_PASSWORD: 'p' });
  azure.requests.slice(count).find(({ method }) => method === 'PUT').json.properties.source.script = 'SCRIPT'; // the one difference
  const of = (requests) => ['PUT', 'GET', 'DELETE'].map((method) => {
    const { path, ...rest } = said(requests.findLast((request) => request.method === method && request.path.includes('/runCommands/')));
    return { ...rest, path: path.replace(/[^/]+$/, 'NAME'), type: method === 'PUT' ? rest.type : undefined };
  });
  assert.deepEqual(of(azure.requests.slice(count)), of(azure.requests.slice(0, count)));

  const detached = await ours(azure, ['--managed', '--detach', '--scripts', 'x']);
  const [ticket] = JSON.parse(Buffer.from(detached.stdout.trim(), 'base64url'));
  const { instanceView } = await compute.virtualMachineRunCommands.getByVirtualMachine(azure.resourceGroup, 'linux-1', ticket.managed, { expand: 'instanceView' });
  assert.equal(instanceView.executionState, 'Succeeded');
});

// Where we differ on purpose: one GET with $expand=instanceView serves for all that is read of a machine.
test('a machine is read and machines are listed at the same addresses', async (t) => {
  const azure = await azureOverTls(t, { run: answering(() => ({})), pageSize: 1 });
  const compute = computeFor(azure);
  await compute.virtualMachines.get(azure.resourceGroup, 'linux-1', { expand: 'instanceView' });
  for await (const _ of compute.virtualMachines.list(azure.resourceGroup));
  for await (const _ of compute.virtualMachines.listAll());
  const count = azure.requests.length;
  await ours(azure, ['--scripts', 'x']);
  for (const wide of [[], ['--whole-subscription']]) {
    await azureRun(azure, ['--all', ...wide, '--scripts', 'x'], { env: { SSL_CERT_FILE: TLS.certFile } });
  }
  const isRead = ({ method, path }) => method === 'GET' && /virtualMachines(\/linux-1)?$/.test(path);
  const of = (requests) => requests.filter(isRead).map(said).map(({ type: _, ...rest }) => rest);
  assert.deepEqual(of(azure.requests.slice(count)), of(azure.requests.slice(0, count)));
});

// --- Signing in ---

const formOf = (request) => {
  const { client_assertion, ...form } = request.form;
  return { path: request.path, ...form, ...(client_assertion && { client_assertion: client_assertion.split('.').length }) };
};
// What MSAL sends about itself.
const ABOUT_ITSELF = /^(x-client|x-app|client_info|client-request-id|x-ms)/;
const bare = (form) => Object.fromEntries(Object.entries(form).filter(([name]) => !ABOUT_ITSELF.test(name)));
const jwt = (token) => token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));

function appCertificate(t) {
  const [key, cert] = [join(folder(t), 'key.pem'), join(folder(t), 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=app', '-keyout', key, '-out', cert],
    { stdio: 'ignore' });
  return { cert: readFileSync(cert), path: file(t, 'app.pem', readFileSync(key) + readFileSync(cert)) };
}

const WAYS = [
  ['a secret', (azure) => [secretOf(azure), envOf(azure)]],
  ['a certificate', (azure, { path }) => [
    new ClientCertificateCredential(azure.tenant, azure.clientId, { certificatePath: path }, identityOptions(azure)),
    { ...envWithoutSecret(azure), AZURE_CLIENT_CERTIFICATE_PATH: path },
  ]],
  ['a workload\'s token', (azure, { token }) => [
    new WorkloadIdentityCredential({ tenantId: azure.tenant, clientId: azure.clientId, tokenFilePath: token(azure), ...identityOptions(azure) }),
    { ...envWithoutSecret(azure), AZURE_FEDERATED_TOKEN_FILE: token(azure) },
  ]],
];
for (const [name, make] of WAYS) {
  test(`the same token request as the official client's: ${name}`, async (t) => {
    const { cert, path } = appCertificate(t);
    const azure = await azureOverTls(t, { certificates: [cert] });
    const [credential, env] = make(azure, { path, token: ({ workloadToken }) => file(t, 'token', workloadToken) });
    await credential.getToken(`${azure.armUrl}/.default`);
    const result = await azureRun(azure, ['-n', 'linux-1', '--raw', '--shell', 'sh', '--scripts', 'x'], { baseEnv: { ...env, SSL_CERT_FILE: TLS.certFile } });
    assert.equal(result.code, 0, result.stderr);
    const [theirs, mine] = azure.requests.filter(({ path: at }) => at.endsWith('/oauth2/v2.0/token'));
    const withoutOpenid = (form) => ({ ...form, scope: form.scope.split(' ').filter((scope) => scope.startsWith('http')).join(' ') });
    assert.deepEqual(withoutOpenid(bare(formOf(mine))), withoutOpenid(bare(formOf(theirs))));
    assert.equal(mine.headers['content-type'].split(';')[0], theirs.headers['content-type'].split(';')[0]);
    if (name !== 'a certificate') return;
    const [[theirHead, theirClaims], [head, claims]] = [theirs, mine].map(({ form }) => jwt(form.client_assertion));
    assert.deepEqual(head, theirHead);
    for (const key of ['aud', 'iss', 'sub']) assert.equal(claims[key], theirClaims[key], key);
    assert.equal(claims.exp - claims.nbf, theirClaims.exp - theirClaims.nbf);
  });
}

test('a federated token of GitHub is handed on as ClientAssertionCredential does', async (t) => {
  const azure = await azureOverTls(t);
  const github = { ACTIONS_ID_TOKEN_REQUEST_URL: azure.githubUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: azure.githubToken };
  const result = await azureRun(azure, ['-n', 'linux-1', '--raw', '--shell', 'sh', '--scripts', 'x'],
    { baseEnv: { ...envWithoutSecret(azure), ...github, SSL_CERT_FILE: TLS.certFile } });
  assert.equal(result.code, 0, result.stderr);
  const [asked, mine] = azure.requests;
  assert.deepEqual([asked.method, asked.query.audience, asked.headers.authorization],
    ['GET', 'api://AzureADTokenExchange', `Bearer ${azure.githubToken}`]);
  const assertion = mine.form.client_assertion;
  await new ClientAssertionCredential(azure.tenant, azure.clientId, async () => assertion, identityOptions(azure)).getToken(`${azure.armUrl}/.default`);
  const theirs = azure.requests.findLast(({ path }) => path.endsWith('/oauth2/v2.0/token'));
  const scopes = (form) => ({ ...form, scope: form.scope.split(' ').filter((scope) => scope.startsWith('http')).join(' ') });
  assert.deepEqual(scopes(bare(mine.form)), scopes(bare(theirs.form)));
});
