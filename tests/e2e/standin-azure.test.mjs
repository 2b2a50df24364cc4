// Shows the stand-in Azure right by Azure's own clients: @azure/identity signs in and @azure/arm-compute runs scripts,
// both over https; refusals come out as their errors with ARM's codes. What the clients can't send goes over fetch.
// Needs openssl and /bin/sh; the test of PowerShell is skipped without pwsh.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { constants, createHash, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ComputeManagementClient } from '@azure/arm-compute';
import {
  ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { startAzure } from '../standin/azure.mjs';
import { azureFor, file, folder, root, run, selfSigned } from './support.mjs';

const STANDIN = fileURLToPath(new URL('../standin/azure.mjs', import.meta.url));
const TLS = selfSigned({ after });
const VERSION = '2024-11-01';
const TRUST = { tlsOptions: { ca: TLS.cert }, retryOptions: { maxRetries: 0 } };
const QUICKLY = { updateIntervalInMs: 10 };

// The official clients, against a stand-in over https.
function identityOptions(azure) {
  return { authorityHost: azure.authorityUrl, disableInstanceDiscovery: true, ...TRUST };
}

function secretCredential(azure, secret = azure.clientSecret) {
  return new ClientSecretCredential(azure.tenant, azure.clientId, secret, identityOptions(azure));
}

function computeFor(azure, credential = secretCredential(azure)) {
  const credentials = { scopes: [`${azure.armUrl}/.default`] };
  return new ComputeManagementClient(credential, azure.subscription, { endpoint: azure.armUrl, credentials, ...TRUST });
}

async function clients(t, options) {
  const azure = await azureFor(t, { tls: TLS, ...options });
  return { azure, compute: computeFor(azure), group: azure.resourceGroup };
}

const restError = (statusCode, code, message) => (error) => {
  assert.equal(error.name, 'RestError', error.stack);
  assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
  if (message) assert.match(error.message, message);
  return true;
};

// --- Plain requests ---

// A stand-in over http with a token: arm(method, path, body, { version, headers }) -> { status, headers, body, json }.
async function plain(t, options) {
  const azure = await azureFor(t, options);
  const token = await tokenOf(azure);
  const arm = (method, path, body, { version = VERSION, headers = {}, signal } = {}) => {
    const url = new URL(path.startsWith('http') ? path : azure.armUrl + path);
    if (version && !path.startsWith('http')) url.searchParams.set('api-version', version);
    return ask(url, {
      method, signal, body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    });
  };
  const vms = `${groupPath(azure)}/providers/Microsoft.Compute/virtualMachines`;
  return { azure, token, arm, vms };
}

const groupPath = ({ subscription, resourceGroup }) => `/subscriptions/${subscription}/resourceGroups/${resourceGroup}`;

async function ask(url, init) {
  const response = await fetch(url, init);
  const body = await response.text();
  const json = body.startsWith('{') ? tryJson(body) : undefined;
  return { status: response.status, headers: response.headers, body, json, code: json?.error?.code ?? json?.error };
}

function tryJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function signIn(azure, fields = {}, tenant = azure.tenant) {
  const form = {
    grant_type: 'client_credentials', client_id: azure.clientId, client_secret: azure.clientSecret,
    scope: `${azure.armUrl}/.default`, ...fields,
  };
  const given = Object.entries(form).filter(([, value]) => value !== undefined);
  return ask(`${azure.authorityUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(given) });
}

async function tokenOf(azure) {
  return (await signIn(azure)).json.access_token;
}

const shell = (...script) => ({ commandId: 'RunShellScript', script });
const messageOf = (stdout, stderr = '') => `Enable succeeded: \n[stdout]\n${stdout}\n[stderr]\n${stderr}`;

// POST runCommand and poll to the end; the last poll's answer.
async function runToEnd(arm, path, body) {
  const started = await arm('POST', `${path}/runCommand`, body);
  assert.equal(started.status, 202, started.body);
  return pollToEnd(arm, started.headers.get('azure-asyncoperation'));
}

async function pollToEnd(arm, url, interval_ms = 10) {
  for (;;) {
    const polled = await arm('GET', url);
    if (polled.json?.status?.toLowerCase() !== 'inprogress') return polled;
    await pause(interval_ms);
  }
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const outputOf = async (...args) => (await runToEnd(...args)).json.properties.output.value[0].message;

// --- Signing in, by the official client ---

test('a secret signs in, and a wrong one is refused in Entra\'s words', async (t) => {
  const { azure, compute, group } = await clients(t);
  assert.equal((await compute.virtualMachines.get(group, 'linux-1')).name, 'linux-1');
  assert.deepEqual(azure.tokens.map(({ via, audience }) => [via, audience]), [['secret', azure.armUrl]]);
  const [config, token] = azure.requests;
  assert.match(config.path, /openid-configuration$/);
  assert.deepEqual([token.form.client_secret, token.json, token.complete], [azure.clientSecret, undefined, true]);

  await assert.rejects(secretCredential(azure, 'wrong').getToken(`${azure.armUrl}/.default`), (error) => {
    assert.match(error.message, /AADSTS7000215: Invalid client secret provided/);
    const { errorCode, errorNo, status } = error.cause;
    assert.deepEqual([errorCode, errorNo, status], ['invalid_client', 7000215, 401]);
    return true;
  });
});

test('a certificate signs in, and one that is not registered does not', async (t) => {
  const pems = ['mine', 'another'].map((name) => {
    const [key, cert] = [join(folder(t), `${name}.key`), join(folder(t), `${name}.pem`)];
    const args = `req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=${name} -keyout ${key} -out ${cert}`;
    execFileSync('openssl', args.split(' '), { stdio: 'ignore' });
    return { cert: readFileSync(cert), both: file(t, 'both.pem', readFileSync(key) + readFileSync(cert)) };
  });
  const { azure } = await clients(t, { certificates: [pems[0].cert] });
  const credential = (certificatePath) =>
    new ClientCertificateCredential(azure.tenant, azure.clientId, { certificatePath }, identityOptions(azure));
  const compute = computeFor(azure, credential(pems[0].both));
  assert.equal((await compute.virtualMachines.get(azure.resourceGroup, 'linux-1')).name, 'linux-1');
  assert.equal(azure.tokens[0].via, 'certificate');
  await assert.rejects(credential(pems[1].both).getToken(`${azure.armUrl}/.default`), /AADSTS700027/);
});

test('federated tokens sign in: GitHub\'s, and that of a workload', async (t) => {
  const { azure } = await clients(t);
  const githubToken = async () => {
    const headers = { authorization: `Bearer ${azure.githubToken}` };
    const url = `${azure.githubUrl}&audience=api%3A%2F%2FAzureADTokenExchange`;
    const [response] = await once(https.get(url, { headers, ca: TLS.cert, agent: false }), 'response');
    return JSON.parse(Buffer.concat(await response.toArray())).value;
  };
  const options = identityOptions(azure);
  const github = new ClientAssertionCredential(azure.tenant, azure.clientId, githubToken, options);
  const tokenFilePath = file(t, 'token', azure.workloadToken);
  const { tenant: tenantId, clientId } = azure;
  const workload = new WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, ...options });
  for (const credential of [github, workload]) {
    const { name } = await computeFor(azure, credential).virtualMachines.get(azure.resourceGroup, 'linux-1');
    assert.equal(name, 'linux-1');
  }
  assert.deepEqual(azure.tokens.map(({ via }) => via), ['github', 'workload']);
});

// The environment that the client reads, for the time of a call.
async function withEnvironment(variables, call) {
  const before = Object.keys(variables).map((name) => [name, process.env[name]]);
  Object.assign(process.env, variables);
  try {
    return await call();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

test('managed identities sign in: IMDS', async (t) => {
  const { azure } = await clients(t);
  const { token } = await withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.imdsUrl }, () =>
    new ManagedIdentityCredential(TRUST).getToken(`${azure.armUrl}/.default`));
  assert.deepEqual(azure.tokens.map((one) => [one.token, one.via]), [[token, 'imds']]);
  const [{ headers, query }] = azure.requests;
  assert.deepEqual([headers.metadata, query.resource], ['true', azure.armUrl]);
});

test('managed identities sign in: App Service', async (t) => {
  const { azure } = await clients(t);
  const script = `import { ManagedIdentityCredential } from '@azure/identity';
    console.log((await new ManagedIdentityCredential().getToken('https://management.azure.com/.default')).token);`;
  const { stdout, stderr } = await run(['--input-type=module', '--eval', script], {
    program: process.execPath, cwd: join(root, 'tests'), // a process keeps the first source of tokens it meets
    env: {
      NODE_EXTRA_CA_CERTS: TLS.certFile,
      IDENTITY_ENDPOINT: azure.identityEndpoint, IDENTITY_HEADER: azure.identityHeader,
    },
  });
  assert.deepEqual(azure.tokens.map((one) => [one.token, one.via]), [[stdout.trim(), 'app-service']], stderr);
});

// --- The action, by the official client ---

test('a script runs on a Linux VM, and its result comes back', async (t) => {
  const { azure, compute, group } = await clients(t);
  const body = shell('echo out; echo error >&2', 'pwd', 'exit 7');
  const result = await compute.virtualMachines.runCommand(group, 'linux-1', body, QUICKLY);
  const [status] = result.value;
  assert.deepEqual([result.value.length, status.code, status.level], [1, 'ProvisioningState/succeeded', 'Info']);
  const [, where] = /^Enable succeeded: \n\[stdout\]\nout\n(.*)\n\n\[stderr\]\nerror\n$/.exec(status.message);
  assert.match(where, /standin-azure-.*linux-1/);
  assert.deepEqual(azure.runs, [{
    vm: 'linux-1', script: 'echo out; echo error >&2\npwd\nexit 7', parameters: [], commandId: 'RunShellScript',
    kind: 'action',
  }]);
  const again = await compute.virtualMachines.beginRunCommandAndWait(group, 'LINUX-1', shell('echo 2'), QUICKLY);
  assert.equal(again.value[0].message, messageOf('2\n'));
});

test('a script runs on an instance of a scale set', async (t) => {
  const { azure, compute, group } = await clients(t, { scaleSets: [{ name: 'web', instances: [0, 3] }], pageSize: 1 });
  const result = await compute.virtualMachineScaleSetVMs.runCommand(group, 'web', '3', shell('echo three'), QUICKLY);
  assert.equal(result.value[0].message, messageOf('three\n'));
  assert.equal(azure.runs[0].vm, 'web_3');
  const set = await compute.virtualMachineScaleSets.get(group, 'web');
  assert.deepEqual([set.sku.capacity, set.virtualMachineProfile.storageProfile.osDisk.osType], [2, 'Linux']);
  const ids = [];
  for await (const { instanceId } of compute.virtualMachineScaleSetVMs.list(group, 'web')) ids.push(instanceId);
  assert.deepEqual(ids, ['0', '3']);
  await assert.rejects(compute.virtualMachineScaleSetVMs.get(group, 'web', '1'), restError(404, 'ResourceNotFound'));
});

test('it is shown by the client with long URLs, a bare array, and Retry-After', async (t) => {
  const { azure, compute, group } = await clients(t, { longUrls: true, resultShape: 'array', retryAfter: 0 });
  const result = await compute.virtualMachines.runCommand(group, 'linux-1', shell('echo long'), QUICKLY);
  assert.equal(result.value[0].message, messageOf('long\n'));
  const polls = azure.requests.filter(({ path }) => path.includes('/operations/'));
  assert.ok(polls.length >= 2 && polls.every(({ url }) => url.length > 6000));
});

test('VMs are listed over pages, and shown with their state', async (t) => {
  const vms = [
    { name: 'a', tags: { role: 'web' } }, { name: 'b', powerState: 'deallocated', location: 'northeurope' },
    { name: 'c', os: 'Windows', resourceGroup: 'other-rg' }, { name: 'd', userData: 'hello' },
    { name: 'e', agent: 'no' },
  ];
  const { azure, compute, group } = await clients(t, { vms, pageSize: 2 });
  const names = async (list) => (await Array.fromAsync(list)).map(({ name }) => name);
  assert.deepEqual(await names(compute.virtualMachines.list(group)), ['a', 'b', 'd', 'e']);
  assert.deepEqual(await names(compute.virtualMachines.listAll()), ['a', 'b', 'c', 'd', 'e']);
  assert.equal(azure.requests.filter(({ path }) => path.endsWith('/virtualMachines')).length, 2 + 3);

  const a = await compute.virtualMachines.get(group, 'a', { expand: 'instanceView' });
  const { statuses, vmAgent } = a.instanceView;
  assert.deepEqual([a.tags, a.location, a.storageProfile.osDisk.osType], [{ role: 'web' }, 'westeurope', 'Linux']);
  assert.deepEqual([statuses[1].code, vmAgent.statuses[0].displayStatus], ['PowerState/running', 'Ready']);
  const b = await compute.virtualMachines.instanceView(group, 'b');
  assert.deepEqual([b.statuses[1].code, b.vmAgent.statuses[0].displayStatus], ['PowerState/deallocated', 'Not Ready']);
  const c = await compute.virtualMachines.get('other-rg', 'c');
  assert.deepEqual([c.storageProfile.osDisk.osType, c.instanceView], ['Windows', undefined]);
  const d = await compute.virtualMachines.get(group, 'd', { expand: 'userData' });
  assert.equal(Buffer.from(d.userData, 'base64').toString(), 'hello');
});

test('refusals come out as ARM\'s errors', async (t) => {
  const vms = ['up', { name: 'down', powerState: 'stopped' }];
  const { azure, compute, group } = await clients(t, { vms });
  const run = (vm, body) => compute.virtualMachines.runCommand(group, vm, body, QUICKLY);
  await assert.rejects(run('none', shell('true')), restError(404, 'ResourceNotFound',
    /The Resource 'Microsoft.Compute\/virtualMachines\/none' under resource group 'ops-rg' was not found/));
  await assert.rejects(run('down', shell('true')),
    restError(409, 'OperationNotAllowed', /requires the VM to be running/));
  await assert.rejects(compute.virtualMachines.get('no-rg', 'up'), restError(404, 'ResourceGroupNotFound'));
  const stranger = new ComputeManagementClient(secretCredential(azure), 'no-subscription', {
    endpoint: azure.armUrl, credentials: { scopes: [`${azure.armUrl}/.default`] }, ...TRUST,
  });
  await assert.rejects(stranger.virtualMachines.get(group, 'up'), restError(404, 'SubscriptionNotFound'));

  const first = run('up', shell('sleep 0.2'));
  await first.poll();
  await assert.rejects(run('UP', shell('true')), restError(409, 'Conflict',
    /Run command extension execution is in progress. Please wait for completion before invoking a run command/));
  await first;
  await run('up', shell('true'));
  assert.equal(azure.runs.length, 2);
  azure.expireTokens();
  await assert.rejects(compute.virtualMachines.get(group, 'up'), restError(401, 'ExpiredAuthenticationToken'));
});

test('a failed operation comes out as an error', async (t) => {
  const { azure, compute, group } = await clients(t);
  const run = () => compute.virtualMachines.runCommand(group, 'linux-1', shell('true'), QUICKLY);
  for (const on of ['runCommand', 'poll']) {
    azure.fail({ kind: 'failed', on, code: 'VMExtensionProvisioningTimeout', message: 'Too long.' });
    await assert.rejects(run(), /VMExtensionProvisioningTimeout.*Too long|Too long/);
    await pause(60);
  }
  azure.fail({ kind: 'canceled' });
  await assert.rejects(run(), /cancell?ed/i);
  assert.equal(azure.runs.length, 3);
});

// --- Managed run commands, by the official client ---

test('a managed run command is created, read, listed and deleted', async (t) => {
  const { azure, compute, group } = await clients(t);
  const { virtualMachineRunCommands: commands } = compute;
  const made = await commands.createOrUpdate(group, 'linux-1', 'hello', {
    location: 'westeurope', source: { script: 'echo "$greeting $1"; echo bad >&2; exit 3' }, tags: { by: 'test' },
    parameters: [{ name: 'greeting', value: 'hi' }, { name: '', value: 'you' }], timeoutInSeconds: 60,
    protectedParameters: [{ name: 'secret', value: 'x' }], runAsUser: 'ada', runAsPassword: 'pass',
  }, QUICKLY);
  assert.deepEqual([made.name, made.provisioningState, made.runAsUser], ['hello', 'Succeeded', 'ada']);
  const { protectedParameters, runAsPassword: shown, instanceView } = made;
  assert.deepEqual([protectedParameters, shown, instanceView], [undefined, undefined, undefined]);

  const read = await commands.getByVirtualMachine(group, 'linux-1', 'hello', { expand: 'instanceView' });
  const { executionState, executionMessage, exitCode, output, error, startTime, endTime } = read.instanceView;
  assert.deepEqual([executionState, exitCode, output, error], ['Failed', 3, 'hi you\n', 'bad\n']);
  assert.equal(executionMessage, 'Execution failed: command terminated with exit status=3');
  assert.ok(startTime <= endTime);
  const [{ kind, name, runAsUser, runAsPassword, parameters }] = azure.runs;
  assert.deepEqual([kind, name, runAsUser, runAsPassword], ['managed', 'hello', 'ada', 'pass']);
  assert.equal(parameters.length, 3);

  const listed = await Array.fromAsync(commands.listByVirtualMachine(group, 'linux-1'));
  assert.deepEqual(listed.map((one) => one.name), ['hello']);
  await commands.delete(group, 'linux-1', 'hello', QUICKLY);
  await commands.delete(group, 'linux-1', 'hello', QUICKLY);
  await assert.rejects(commands.getByVirtualMachine(group, 'linux-1', 'hello'), restError(404, 'ResourceNotFound'));
});

test('a managed run command of a scale set\'s instance', async (t) => {
  const { compute, group } = await clients(t, { scaleSets: [{ name: 'web', instances: 1 }] });
  const { virtualMachineScaleSetVMRunCommands: commands } = compute;
  const body = { location: 'westeurope', source: { script: 'echo set' } };
  await commands.createOrUpdate(group, 'web', '0', 'c', body, QUICKLY);
  const { instanceView } = await commands.get(group, 'web', '0', 'c', { expand: 'instanceView' });
  assert.deepEqual([instanceView.executionState, instanceView.output], ['Succeeded', 'set\n']);
  await commands.delete(group, 'web', '0', 'c', QUICKLY);
  assert.deepEqual(await Array.fromAsync(commands.list(group, 'web', '0')), []);
});

test('treatFailureAsDeploymentFailure fails the deployment', async (t) => {
  const { compute, group } = await clients(t);
  const body = { location: 'westeurope', source: { script: 'exit 9' }, treatFailureAsDeploymentFailure: true };
  const made = compute.virtualMachineRunCommands.createOrUpdate(group, 'linux-1', 'c', body, QUICKLY);
  await assert.rejects(made, /exit status=9/);
  const read = await compute.virtualMachineRunCommands.getByVirtualMachine(group, 'linux-1', 'c');
  assert.equal(read.provisioningState, 'Failed');
});

// --- Signing in, by hand ---

test('Entra refuses what it should', async (t) => {
  const azure = await azureFor(t);
  const jwt = (header, claims) =>
    [header, claims, 'x'].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const asserted = (client_assertion, client_assertion_type = JWT_BEARER) =>
    ({ client_secret: undefined, client_assertion, client_assertion_type });
  const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const PS256 = { alg: 'PS256', typ: 'JWT', 'x5t#S256': 'unknown' };
  const refusals = [
    [401, 'invalid_client', 7000215, { client_secret: 'wrong' }],
    [401, 'invalid_client', 7000218, { client_secret: undefined }],
    [400, 'unauthorized_client', 700016, { client_id: 'someone' }],
    [400, 'unsupported_grant_type', 70003, { grant_type: 'password' }],
    [400, 'invalid_request', 900144, { scope: undefined }],
    [400, 'invalid_scope', 1002012, { scope: 'https://management.azure.com/user' }],
    [400, 'invalid_resource', 500011, { scope: 'https://graph.microsoft.com/.default' }],
    [401, 'invalid_client', 50027, asserted('no token')],
    [401, 'invalid_client', 50027, asserted(jwt({ ...PS256, alg: 'RS256' }, {}))],
    [401, 'invalid_client', 700027, asserted(jwt(PS256, {}))],
    [400, 'invalid_request', 900144, asserted('x', 'y')],
  ];
  for (const [status, error, number, fields] of refusals) {
    const refused = await signIn(azure, fields);
    assert.deepEqual([refused.status, refused.json.error, refused.json.error_codes], [status, error, [number]]);
    assert.match(refused.json.error_description, new RegExp(`^AADSTS${number}: .* Trace ID: .* Timestamp: `));
  }
  assert.deepEqual((await signIn(azure, {}, 'no-tenant')).json.error_codes, [90002]);
  for (const resource of ['https://management.azure.com', 'https://management.azure.com/', azure.armUrl]) {
    const { json } = await signIn(azure, { scope: `${resource}/.default` });
    assert.deepEqual([json.token_type, json.expires_in], ['Bearer', 3600]);
  }
});

// Signs an assertion as the tool is to; claims may be spoilt.
function assertion(azure, { key, cert }, spoilt = {}, spoiltHeader = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now_s = Math.floor(Date.now() / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint(cert), ...spoiltHeader };
  const claims = {
    aud: `${azure.authorityUrl}/${azure.tenant}/oauth2/v2.0/token`, iss: azure.clientId, sub: azure.clientId,
    jti: 'one', nbf: now_s, exp: now_s + 600, ...spoilt,
  };
  const signed = `${part(header)}.${part(claims)}`;
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, padding, saltLength }).toString('base64url')}`;
}

const thumbprint = (cert) => createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');

test('every claim of an assertion is checked', async (t) => {
  const [key, cert] = [join(folder(t), 'key.pem'), join(folder(t), 'cert.pem')];
  const args = `req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=me -keyout ${key} -out ${cert}`;
  execFileSync('openssl', args.split(' '), { stdio: 'ignore' });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  const azure = await azureFor(t, { certificates: [pair.cert] });
  const numberOf = async (client_assertion) => {
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const { json } = await signIn(azure, { client_secret: undefined, client_assertion, client_assertion_type });
    return json.error_codes?.[0] ?? json.token_type;
  };
  const now_s = Math.floor(Date.now() / 1000);
  const spoilt = [
    ['Bearer', {}], [700021, { iss: 'me' }], [700021, { sub: 'me' }], [700023, { aud: azure.authorityUrl }],
    [700024, { exp: now_s - 400, nbf: now_s - 900 }], [700024, { nbf: now_s + 900, exp: now_s + 1500 }],
    [700024, { exp: now_s + 90000 }], [700024, { exp: undefined }], [50027, { jti: undefined }],
  ];
  for (const [expected, claims] of spoilt) assert.equal(await numberOf(assertion(azure, pair, claims)), expected);
  const whole = assertion(azure, pair);
  assert.equal(await numberOf(whole.slice(0, -8)), 50027, 'a signature that is cut');
  assert.equal(await numberOf(assertion(azure, pair, {}, { typ: 'jwt' })), 50027);
  assert.deepEqual(azure.tokens.map(({ via }) => via), ['certificate']);
});

test('GitHub, IMDS and App Service refuse what they should', async (t) => {
  const azure = await azureFor(t);
  const runner = { authorization: `Bearer ${azure.githubToken}` };
  assert.equal((await ask(azure.githubUrl)).status, 401);
  const { json: { value } } = await ask(azure.githubUrl, { headers: runner });
  const other = await signIn(azure, {
    client_secret: undefined, client_assertion: value,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });
  assert.deepEqual(other.json.error_codes, [700212], 'GitHub\'s token for another audience');

  const imds = (query, headers) => ask(`${azure.imdsUrl}/metadata/identity/oauth2/token?${query}`, { headers });
  const resource = 'api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F';
  const metadata = { metadata: 'true' };
  const given = (await imds(resource, metadata)).json;
  assert.deepEqual([given.expires_in, given.token_type], ['3600', 'Bearer']);
  assert.ok(Number(given.expires_on) > Date.now() / 1000 + 3500);
  const refused = [
    [resource, {}], [resource, { ...metadata, 'x-forwarded-for': '1.2.3.4' }], ['api-version=2018-02-01', metadata],
    ['resource=https://management.azure.com', metadata], [`${resource}&client_id=other`, metadata],
    ['api-version=2018-02-01&resource=https://graph.microsoft.com', metadata],
  ];
  for (const [query, headers] of refused) assert.equal((await imds(query, headers)).status, 400);

  const app = (query, headers) => ask(`${azure.identityEndpoint}?${query}`, { headers });
  const secret = { 'x-identity-header': azure.identityHeader };
  const query = 'api-version=2019-08-01&resource=https://management.azure.com';
  assert.equal((await app(query, secret)).json.token_type, 'Bearer');
  assert.equal((await app(query, {})).status, 401);
  assert.equal((await app(query.replace('2019-08-01', '2017-09-01'), secret)).status, 400);
  assert.deepEqual(azure.tokens.map(({ via }) => via), ['imds', 'app-service']);
});

test('a token is checked by ARM alone, and ends', async (t) => {
  const { azure, arm, vms } = await plain(t, { tokenSeconds: 1 });
  const refused = async (headers) => (await arm('GET', vms, undefined, { headers })).code;
  assert.equal(await refused({ authorization: 'Bearer mine' }), 'InvalidAuthenticationToken');
  const url = `${azure.armUrl}${vms}?api-version=${VERSION}`;
  const { status, code, headers } = await ask(url);
  assert.deepEqual([status, code], [401, 'AuthenticationFailed']);
  assert.match(headers.get('www-authenticate'), /^Bearer authorization_uri=/);
  assert.equal((await arm('GET', vms)).status, 200);
  azure.expireTokens();
  const expired = await arm('GET', vms);
  assert.deepEqual([expired.status, expired.code], [401, 'ExpiredAuthenticationToken']);
  const fresh = await tokenOf(azure);
  assert.equal(await refused({ authorization: `Bearer ${fresh}` }), undefined);
  await pause(1000);
  assert.equal(await refused({ authorization: `Bearer ${fresh}` }), 'ExpiredAuthenticationToken');
});

// --- ARM, by hand ---

test('ARM asks for an api-version first, and knows no other paths', async (t) => {
  const { arm, vms } = await plain(t);
  const without = await arm('GET', vms, undefined, { version: '', headers: { authorization: '' } });
  assert.deepEqual([without.status, without.code], [400, 'MissingApiVersionParameter']);
  assert.equal((await arm('GET', vms, undefined, { version: 'new' })).code, 'InvalidApiVersionParameter');
  for (const path of ['/', '/subscriptions', `${vms}/linux-1/reboot`, vms.replace('Compute', 'Storage')]) {
    assert.equal((await arm('GET', path)).status, 404, path);
  }
  assert.equal((await arm('PUT', `${vms}/linux-1`, {})).status, 404);
  const listed = (await arm('GET', vms)).json.value[0].id;
  assert.match(listed, /\/resourceGroups\/OPS-RG\//, 'a list writes the group in capitals');
  assert.equal((await arm('GET', listed.toLowerCase())).json.name, 'linux-1');
});

test('the body of a runCommand is validated', async (t) => {
  const { azure, arm, vms } = await plain(t);
  const post = (body, vm = 'linux-1') => arm('POST', `${vms}/${vm}/runCommand`, body);
  const long = 'x'.repeat(262145);
  const refused = [
    [400, { script: ['true'] }], [400, undefined], [400, { ...shell('true'), shell: 'bash' }],
    [400, { ...shell(), script: 'true' }], [400, { ...shell(), script: [1] }], [400, { commandId: 'RunShellScript' }],
    [400, { ...shell('true'), parameters: { a: '1' } }],
    [400, { ...shell('true'), parameters: [{ name: 'a', value: 1 }] }],
    [400, { ...shell('true'), parameters: [{ name: 'a', value: '1', more: '' }] }],
    [400, { ...shell('true'), commandId: 7 }],
    [400, { commandId: 'RunPowerShellScript', script: ['1'] }], [404, { commandId: 'RunPerl', script: ['1'] }],
    [400, shell(long)], [400, { commandId: 'ipconfig' }],
  ];
  for (const [status, body] of refused) {
    const { status: got, code } = await post(body);
    assert.equal(got, status, JSON.stringify(body)?.slice(0, 80));
    assert.equal(typeof code, 'string');
  }
  assert.equal((await post(shell('true'), 'windows-1')).status, 400);
  assert.equal(azure.runs.length, 0);
  const longest = { commandId: 'runshellscript', script: [`#${long.slice(2)}`], parameters: null };
  assert.equal((await post(longest)).status, 202);
});

test('an operation is polled in both forms', async (t) => {
  const { arm, vms } = await plain(t, { vms: ['one'], operationMs: 200 });
  const started = await arm('POST', `${vms}/one/runCommand`, shell('echo 1'));
  const [asynchronous, monitor] = ['azure-asyncoperation', 'location'].map((name) => started.headers.get(name));
  assert.deepEqual([started.status, started.body, started.headers.get('retry-after')], [202, '', null]);
  assert.equal(monitor, `${asynchronous}&monitor=true`);
  assert.match(asynchronous, /\/locations\/westeurope\/operations\/[\w-]{36}\?p=[\w-]+&api-version=2024-11-01$/);
  const running = (await arm('GET', asynchronous)).json;
  assert.deepEqual(Object.keys(running), ['startTime', 'status', 'name']);
  assert.equal(running.status, 'InProgress');
  const waiting = await arm('GET', monitor);
  assert.deepEqual([waiting.status, waiting.body, waiting.headers.get('location')], [202, '', monitor]);
  const { json: done } = await pollToEnd(arm, asynchronous);
  const value = [{
    code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded',
    message: messageOf('1\n'),
  }];
  assert.deepEqual(Object.keys(done), ['startTime', 'endTime', 'status', 'properties', 'name']);
  assert.deepEqual([done.status, done.properties.output], ['Succeeded', { value }]);
  assert.deepEqual((await arm('GET', monitor)).json, { value });
  assert.equal((await arm('GET', asynchronous.replace('?p=', '?p=1'))).status, 404, 'not followed verbatim');
});

test('scripts run as the Linux extension runs them', async (t) => {
  const { arm, vms } = await plain(t, { vms: ['vm'], operationMs: 0 });
  const run = (...args) => outputOf(arm, `${vms}/vm`, ...args);
  const parameters = [{ name: 'a', value: 'one' }, { name: 'b', value: 'two' }];
  const show = 'echo "$# $1 $2 $a"';
  assert.equal(await run({ ...shell(show), parameters }), messageOf('2 one two one\n'));
  assert.equal(await run({ ...shell('#!/bin/bash', show), parameters }), messageOf('2 one two one\n'));
  assert.equal(await run({ ...shell(`#!/bin/sh\n${show}`), parameters }), messageOf('0   \n'), 'lost behind a shebang');
  const spaced = [{ name: 'a', value: 'one two' }];
  assert.equal(await run({ ...shell('echo "$# $a"'), parameters: spaced }), messageOf('2 one\n'), 'unquoted');
  assert.equal(await run(shell('#!/bin/bash', 'echo ${BASH_VERSION:+bash}')), messageOf('bash\n'));
  assert.equal(await run(shell('a() {', '', '  echo in', '}', 'a')), messageOf('in\n'));
  assert.equal(await run(shell('sleep 30 & echo gone')), messageOf('gone\n'), 'what stays behind is not waited for');
  assert.match(await run(shell('kill -9 $$')), /^Enable succeeded: \n\[stdout\]\n\n/);
  const [, environment] = /\[stdout\]\n([^]*)\n\[stderr\]/.exec(await run(shell('env | cut -d= -f1 | sort | xargs')));
  assert.equal(environment, 'LANG PATH PWD\n');
  const [, tail] = /\[stdout\]\n([^]*)\n\[stderr\]/.exec(await run(shell('printf "é%.0s" $(seq 3000); printf x')));
  assert.equal(tail, `\ufffd${'é'.repeat(2047)}x`, 'the last 4,096 bytes begin inside a character');
});

const hasPowerShell = process.env.PATH.split(':').some((place) => existsSync(join(place, 'pwsh')));

test('scripts run by PowerShell', { skip: !hasPowerShell && 'no pwsh here' }, async (t) => {
  const { arm, vms } = await plain(t, { vms: [{ name: 'vm', os: 'Windows' }] });
  const script = ['param($user)', 'Write-Output "hi $user"', '[Console]::Error.WriteLine("bad")'];
  const parameters = [{ name: 'user', value: 'a^da' }];
  const { json } = await runToEnd(arm, `${vms}/vm`, { commandId: 'RunPowerShellScript', script, parameters });
  const [out, error] = json.properties.output.value;
  assert.deepEqual([out.code, error.code], ['ComponentStatus/StdOut/succeeded', 'ComponentStatus/StdErr/succeeded']);
  assert.deepEqual([out.message.trim(), error.message.trim()], ['hi ada', 'bad'], 'cmd.exe eats ^');
});

test('without PowerShell a Windows VM\'s operation fails', async (t) => {
  await withEnvironment({ PATH: folder(t) }, async () => {
    const { arm, vms } = await plain(t);
    const { json } = await runToEnd(arm, `${vms}/windows-1`, { commandId: 'RunPowerShellScript', script: ['1'] });
    assert.deepEqual([json.status, json.error.code], ['Failed', 'VMExtensionProvisioningError']);
  });
});

test('a function can stand in for the process', async (t) => {
  const all = (vm, script, parameters) =>
    ({ stdout: `${vm} ${script} ${parameters[0].value}`, stderr: Buffer.of(255) });
  const own = async () => ({ stdout: 'x'.repeat(5000), stderr: 'own', exitCode: 1 });
  const vms = ['a', { name: 'b', run: own, os: 'Windows' }, { name: 'c', run: () => new Promise(() => {}) }];
  const { azure, arm, vms: path } = await plain(t, { run: all, vms });
  const parameters = [{ name: '', value: 'p' }];
  assert.equal(await outputOf(arm, `${path}/a`, { ...shell('s'), parameters }), messageOf('a s p', '\ufffd'));
  const { json } = await runToEnd(arm, `${path}/b`, { commandId: 'RunPowerShellScript', script: ['s'] });
  assert.deepEqual(json.properties.output.value.map(({ message }) => message), ['x'.repeat(4096), 'own']);
  assert.equal((await arm('POST', `${path}/c/runCommand`, shell('s'))).status, 202);
  assert.deepEqual(azure.runs.map(({ vm }) => vm), ['a', 'b', 'c']);
});

test('roles: a right at a VM starts a script, only one at the resource group polls it', async (t) => {
  const roles = { vm: ['Microsoft.Compute/virtualMachines/*'], resourceGroup: [] };
  const { azure, arm, vms } = await plain(t, { roles, vms: ['a', { name: 'b', roles: ['*/read'] }] });
  const denied = await arm('POST', `${vms}/b/runCommand`, shell('true'));
  assert.deepEqual([denied.status, denied.code], [403, 'AuthorizationFailed']);
  const words = `The client '${azure.clientId}' with object id '.*' does not have authorization to perform action `
    + "'Microsoft.Compute/virtualMachines/runCommand/action' over scope '/subscriptions/.*/virtualMachines/b' or the "
    + 'scope is invalid. If access was recently granted, please refresh your credentials.';
  assert.match(denied.json.error.message, new RegExp(`^${words}$`));
  assert.equal((await arm('GET', `${vms}/b`)).status, 200);
  assert.equal((await arm('GET', `${vms}/none`)).status, 403);
  assert.equal((await arm('GET', vms)).status, 403);

  const started = await arm('POST', `${vms}/a/runCommand`, shell('true'));
  assert.equal(started.status, 202);
  const polled = await arm('GET', started.headers.get('azure-asyncoperation'));
  assert.deepEqual([polled.status, polled.code], [403, 'AuthorizationFailed']);
  assert.match(polled.json.error.message, /'Microsoft.Compute\/locations\/operations\/read'/);

  const permissions = (path) => arm('GET', `${path}/providers/Microsoft.Authorization/permissions`, undefined, {
    version: '2022-04-01',
  });
  const actions = async (path) => (await permissions(path)).json.value.map((one) => one.actions);
  assert.deepEqual(await actions(`${vms}/a`), [roles.vm]);
  assert.deepEqual(await actions(groupPath(azure)), []);
  assert.equal((await permissions(`${vms}/none`)).status, 404);
});

test('permissions are told as ARM tells them', async (t) => {
  const { azure, arm, vms } = await plain(t, { roles: { resourceGroup: ['*/read'] } });
  const path = 'providers/Microsoft.Authorization/permissions';
  const entry = (actions) => ({ actions, notActions: [], dataActions: [], notDataActions: [] });
  const [atGroup, atVm] = [await arm('GET', `${groupPath(azure)}/${path}`), await arm('GET', `${vms}/linux-1/${path}`)];
  assert.deepEqual([atGroup.json, atVm.json], [
    { value: [entry(['*/read'])] }, { value: [entry(['*/read']), entry(['*'])] },
  ]);
});

// --- Managed run commands, by hand ---

const managed = (script, properties = {}) =>
  ({ location: 'westeurope', properties: { source: { script }, ...properties } });

async function managedOn(t, options) {
  const { azure, arm, vms } = await plain(t, { updateMs: 20, ...options });
  const at = (name) => `${vms}/linux-1/runCommands/${name}`;
  const view = async (name) => {
    const { json } = await arm('GET', `${at(name)}?$expand=instanceView`);
    return { ...json?.properties?.instanceView, provisioningState: json?.properties?.provisioningState };
  };
  const until = async (name, isSo) => {
    for (;;) {
      const seen = await view(name);
      if (isSo(seen)) return seen;
      await pause(10);
    }
  };
  return { azure, arm, at, view, until };
}

test('a managed run command tells its output while it runs, and DELETE ends it', async (t) => {
  const { azure, arm, at, view, until } = await managedOn(t);
  const script = 'echo $$; while :; do echo tick; sleep 0.01; done';
  const put = await arm('PUT', at('loop'), managed(script, { asyncExecution: true }));
  assert.deepEqual([put.status, put.json.properties.provisioningState], [201, 'Creating']);
  assert.ok(put.headers.get('azure-asyncoperation'));
  assert.equal((await pollToEnd(arm, put.headers.get('azure-asyncoperation'))).json.status, 'Succeeded');
  const seen = await until('loop', ({ output }) => output?.includes('tick'));
  assert.deepEqual([seen.executionState, seen.provisioningState, seen.endTime], ['Running', 'Succeeded', undefined]);
  const pid = Number(seen.output.split('\n')[0]);
  process.kill(pid, 0);
  assert.equal((await arm('PUT', at('beside'), managed('true'))).status, 201, 'others run beside it');

  const deleted = await arm('DELETE', at('loop'));
  assert.deepEqual([deleted.status, (await view('loop')).provisioningState], [202, 'Deleting']);
  assert.equal((await pollToEnd(arm, deleted.headers.get('azure-asyncoperation'))).json.status, 'Succeeded');
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.equal((await arm('GET', at('loop'))).status, 404);
  assert.equal((await arm('DELETE', at('loop'))).status, 204);
  assert.equal(azure.runs.length, 2);
});

test('without asyncExecution the operation lasts as long as the script, and DELETE cancels it', async (t) => {
  const { arm, at, view } = await managedOn(t, { operationMs: 0 });
  const put = await arm('PUT', at('c'), managed('sleep 30'));
  const operation = put.headers.get('azure-asyncoperation');
  await pause(50);
  assert.equal((await arm('GET', operation)).json.status, 'InProgress');
  assert.deepEqual([(await view('c')).executionState, (await view('c')).provisioningState], ['Running', 'Creating']);
  await arm('DELETE', at('c'));
  const { json } = await pollToEnd(arm, operation);
  assert.deepEqual([json.status, json.error.code], ['Canceled', 'OperationPreempted']);
});

test('a managed run command ends at its time-out', async (t) => {
  const { arm, at, until } = await managedOn(t);
  await arm('PUT', at('c'), managed('echo begun; sleep 30', { timeoutInSeconds: 1 }));
  const { executionState, output, exitCode } = await until('c', ({ executionState: state }) => state !== 'Running');
  assert.deepEqual([executionState, output, exitCode], ['TimedOut', 'begun\n', -1]);
});

test('the same content runs once, other content again, and 25 is the end', async (t) => {
  const { azure, arm, at, until } = await managedOn(t, { run: () => ({ stdout: 'done' }), operationMs: 0 });
  const put = (name, script) => arm('PUT', at(name), managed(script));
  const [made, same, changed] = [await put('c', '1'), await put('C', '1'), await put('c', '2')];
  assert.deepEqual([made.status, same.status, changed.status], [201, 200, 200]);
  assert.deepEqual(azure.runs.map(({ script }) => script), ['1', '2']);
  assert.equal((await until('c', ({ executionState }) => executionState === 'Succeeded')).output, 'done');
  for (let i = 1; i < 25; i += 1) assert.equal((await put(`c${i}`, 'x')).status, 201);
  const refused = await put('c25', 'x');
  assert.equal(refused.status, 409);
  assert.match(refused.json.error.message, /The maximum number of managed Run commands \(max=25, current=25\)/);
  assert.equal((await put('c1', 'x')).status, 200);
  assert.equal(azure.runs.length, 26);
});

test('the body of a managed run command is validated', async (t) => {
  const { azure, arm, at } = await managedOn(t, { vms: ['linux-1', { name: 'off', powerState: 'deallocated' }] });
  const codeOf = async (body, path = at('c')) => (await arm('PUT', path, body)).code;
  assert.equal(await codeOf({ properties: { source: { script: 'x' } } }), 'LocationRequired');
  assert.equal(await codeOf(managed('x', { cwd: '/' })), 'BadRequest');
  assert.equal(await codeOf(managed('x', { source: { script: 'x', shell: 'sh' } })), 'BadRequest');
  assert.equal(await codeOf(managed('x', { timeoutInSeconds: '60' })), 'InvalidParameter');
  assert.equal(await codeOf(managed('x', { source: { script: 'x', commandId: 'ifconfig' } })), 'InvalidParameter');
  assert.equal(await codeOf(managed('x', { source: {} })), 'InvalidParameter');
  assert.equal(await codeOf(managed('x'.repeat(262145))), 'InvalidParameter');
  const off = await arm('PUT', at('c').replace('linux-1', 'off'), managed('x'));
  assert.deepEqual([off.status, off.code], [409, 'OperationNotAllowed']);
  assert.equal(azure.runs.length, 0);
  const fromUri = managed('x', { source: { scriptUri: 'https://stand-in.invalid/x.sh' } });
  assert.equal((await arm('PUT', at('uri'), fromUri)).status, 201);
  const { json } = await arm('GET', `${at('uri')}?$expand=instanceView`);
  assert.equal(json.properties.instanceView.executionState, 'Failed');
});

// --- Faults ---

test('a fault that there is not, or that can\'t meet its request, throws', async (t) => {
  const azure = await azureFor(t);
  assert.throws(() => azure.fail({ kind: 'hnag' }), /no such fault: hnag/);
  assert.throws(() => azure.fail({ kind: 'html', on: 'polls' }), /no such kind of request: polls/);
  assert.throws(() => azure.fail({ kind: 'only-async', on: 'poll' }), /only-async can't meet poll/);
  assert.throws(() => azure.fail({ kind: 'status' }), /status undefined/);
  assert.throws(() => azure.fail({ kind: 'foreign-poll-host' }), /without origin/);
  await assert.rejects(startAzure({ operationMS: 1 }), /no such option: operationMS/);
  await assert.rejects(startAzure({ vms: [{ name: 'a', OS: 'Linux' }] }), /no such property of a VM: OS/);
});

test('each kind of request can be met, in the order of the faults', async (t) => {
  const { azure, arm, vms } = await plain(t);
  const vm = `${vms}/linux-1`;
  const started = await arm('POST', `${vm}/runCommand`, shell('true'));
  const requests = {
    token: () => signIn(azure),
    runCommand: () => arm('POST', `${vm}/runCommand`, shell('true')),
    poll: () => arm('GET', started.headers.get('location')),
    vm: () => arm('GET', vm),
    list: () => arm('GET', vms),
    'managed-put': () => arm('PUT', `${vm}/runCommands/c`, managed('true')),
    'managed-get': () => arm('GET', `${vm}/runCommands/c`),
    'managed-delete': () => arm('DELETE', `${vm}/runCommands/c`),
    permissions: () => arm('GET', `${vm}/providers/Microsoft.Authorization/permissions`),
    github: () => ask(azure.githubUrl),
    imds: () => ask(azure.identityEndpoint),
  };
  const kinds = Object.keys(requests);
  for (const [i, on] of kinds.entries()) azure.fail({ kind: 'status', status: 520 + i, on });
  assert.equal(azure.unusedFaults.length, kinds.length);
  for (const [i, on] of [...kinds.entries()].reverse()) assert.equal((await requests[on]()).status, 520 + i, on);
  assert.deepEqual(azure.unusedFaults, []);
  azure.fail({ kind: 'status', status: 500 });
  azure.fail({ kind: 'status', status: 502 });
  assert.deepEqual([(await requests.vm()).status, (await requests.list()).status], [500, 502]);
  assert.equal((await requests.vm()).status, 200);
});

test('statuses, with bodies and headers', async (t) => {
  const { azure, arm, vms } = await plain(t);
  const get = () => arm('GET', `${vms}/linux-1`);
  for (const status of [401, 403, 404, 408, 409, 429, 500, 502, 503, 504]) {
    azure.fail({ kind: 'status', status });
    const answer = await get();
    assert.deepEqual([answer.status, typeof answer.json.error.message], [status, 'string']);
    azure.fail({ kind: 'status', status, on: 'token' });
    const refused = await signIn(azure);
    assert.deepEqual([refused.status, refused.json.error_codes.length], [status, 1]);
  }
  const date = new Date(Date.now() + 2000).toUTCString();
  for (const headers of [{ 'retry-after': '2' }, { 'retry-after': date }, { 'retry-after-ms': '20' }]) {
    azure.fail({ kind: 'status', status: 429, headers });
    const answer = await get();
    const [[name, value]] = Object.entries(headers);
    assert.deepEqual([answer.headers.get(name), answer.code], [value, 'TooManyRequests']);
  }
  azure.fail({ kind: 'status', status: 503, body: 'busy' });
  assert.equal((await get()).body, 'busy');
  azure.fail({ kind: 'status', status: 409, body: { error: { code: 'Odd' } } });
  assert.equal((await get()).code, 'Odd');
  azure.fail({ kind: 'html' });
  assert.match((await get()).body, /^<html>/);
});

test('a fault in place of the answer lets the script run only when it is accepted', async (t) => {
  const { azure, arm, vms } = await plain(t, { vms: 4 });
  const post = (i) => arm('POST', `${vms}/vm-00${i}/runCommand`, shell('true'));
  const kinds = [{ kind: 'status', status: 500 }, { kind: 'html' }, { kind: 'reset-after-body' }];
  for (const fault of kinds) {
    azure.fail(fault);
    await post(0).catch(() => {});
  }
  assert.deepEqual(azure.runs, []);
  for (const [i, fault] of kinds.entries()) {
    azure.fail({ ...fault, accepted: true });
    await post(i + 1).catch(() => {});
  }
  assert.deepEqual(azure.runs.map(({ vm }) => vm), ['vm-001', 'vm-002', 'vm-003']);
});

test('connections are cut where the fault says', async (t) => {
  const { azure, arm, vms } = await plain(t);
  const cut = async (kind, complete) => {
    azure.fail({ kind });
    await assert.rejects(arm('GET', vms), ({ cause }) => ['ECONNRESET', 'UND_ERR_SOCKET'].includes(cause?.code));
    assert.equal(azure.requests.at(-1).complete, complete);
  };
  await cut('reset-before-body', false);
  await cut('reset-after-body', true);
  await cut('reset-in-reply', true);
  azure.fail({ kind: 'reset-in-reply', on: 'runCommand' });
  await arm('POST', `${vms}/linux-1/runCommand`, shell('true')).catch(() => {});
  assert.equal(azure.runs.length, 1, 'its work is done');
  azure.fail({ kind: 'truncated-json' });
  const { status, body, json } = await arm('GET', vms);
  assert.deepEqual([status, body[0], json], [200, '{', undefined]);
});

test('slow and hang', async (t) => {
  const { azure, arm, vms } = await plain(t);
  azure.fail({ kind: 'slow', delay_ms: 60 });
  const start_ms = performance.now();
  assert.equal((await arm('GET', vms)).status, 200);
  assert.ok(performance.now() - start_ms >= 50);
  azure.fail({ kind: 'hang' });
  await assert.rejects(arm('GET', vms, undefined, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
});

test('the headers of a 202 can be missing, or point elsewhere', async (t) => {
  const { azure, arm, vms } = await plain(t, { vms: 4 });
  const headersOf = async (fault, i) => {
    azure.fail(fault);
    const { status, headers } = await arm('POST', `${vms}/vm-00${i}/runCommand`, shell('true'));
    return [status, headers.get('azure-asyncoperation'), headers.get('location')];
  };
  assert.deepEqual(await headersOf({ kind: 'no-headers' }, 0), [202, null, null]);
  const [, none, location] = await headersOf({ kind: 'only-location' }, 1);
  assert.deepEqual([none, new URL(location).origin], [null, azure.armUrl]);
  const [, asynchronous, missing] = await headersOf({ kind: 'only-async' }, 2);
  assert.deepEqual([missing, new URL(asynchronous).origin], [null, azure.armUrl]);
  const origin = 'http://127.0.0.1:9';
  for (const url of (await headersOf({ kind: 'foreign-poll-host', origin }, 3)).slice(1)) {
    assert.equal(new URL(url).origin, origin);
  }
  for (const [i, kind] of ['no-headers', 'only-location', 'only-async', 'foreign-poll-host'].entries()) {
    azure.fail({ kind, origin, on: 'managed-put' });
    const { status, headers } = await arm('PUT', `${vms}/vm-000/runCommands/c${i}`, managed('true'));
    const url = headers.get('azure-asyncoperation');
    assert.deepEqual([status, url && new URL(url).origin], [201, [null, null, azure.armUrl, origin][i]]);
  }
  assert.equal(azure.runs.length, 8);
});

test('operations can end otherwise, or be gone', async (t) => {
  const { azure, arm, vms } = await plain(t, { vms: 5, operationMs: 30 });
  const start = async (i) =>
    (await arm('POST', `${vms}/vm-00${i}/runCommand`, shell('true'))).headers.get('azure-asyncoperation');
  azure.fail({ kind: 'odd-case', on: 'runCommand' });
  const odd = await start(0);
  assert.equal((await arm('GET', odd)).json.status, 'inprogress');
  assert.equal((await pollToEnd(arm, odd)).json.status, 'SUCCEEDED');

  azure.fail({ kind: 'failed', message: 'No disk.' });
  const failed = await start(1);
  const { json } = await arm('GET', failed);
  const error = { code: 'VMExtensionProvisioningError', message: 'No disk.' };
  assert.deepEqual([json.status, json.error], ['Failed', error]);
  const monitor = await arm('GET', `${failed}&monitor=true`);
  assert.deepEqual([monitor.status, monitor.code], [409, 'VMExtensionProvisioningError']);
  azure.fail({ kind: 'canceled', status: 'Cancelled' });
  assert.equal((await arm('GET', await start(2))).json.status, 'Cancelled');
  await pollToEnd(arm, await start(3));
  azure.fail({ kind: 'failed', on: 'poll', code: 'Late' });
  const late = await start(4);
  await pause(60);
  assert.equal((await arm('GET', late)).code, 'Late', 'what has succeeded can fail');
  azure.fail({ kind: 'operation-not-found' });
  assert.equal((await arm('GET', odd)).status, 404);
  assert.equal((await arm('GET', odd)).status, 200);
});

// --- Many machines, and the command line ---

test('500 machines at once', async (t) => {
  const { azure, arm, vms } = await plain(t, { vms: 500, run: (vm) => ({ stdout: vm }), operationMs: 100 });
  const names = Array.from({ length: 500 }, (_, i) => `vm-${String(i).padStart(3, '0')}`);
  const results = await Promise.all(names.map(async (name) => {
    const { headers } = await arm('POST', `${vms}/${name}/runCommand`, shell('x'));
    await pause(500);
    return pollToEnd(arm, headers.get('azure-asyncoperation'), 500);
  }));
  const messages = results.map(({ json }) => json.properties.output.value[0].message);
  assert.deepEqual(messages, names.map((name) => messageOf(name)));
  assert.equal(azure.runs.length, 500);
});

test('it can forget everything but the counts', async (t) => {
  const { azure, arm, vms } = await plain(t, { keepRequests: false });
  await outputOf(arm, `${vms}/linux-1`, shell('true'));
  assert.deepEqual([azure.requests, azure.runs, azure.tokens], [[], [], []]);
  assert.ok(azure.counts.requests >= 3);
  assert.equal(azure.counts.runs, 1);
});

test('close() ends what still runs, and waits for it', async () => {
  const azure = await startAzure({ vms: ['a'] });
  const authorization = `Bearer ${await tokenOf(azure)}`;
  const url = `${azure.armUrl}${groupPath(azure)}/providers/Microsoft.Compute/virtualMachines/a/runCommands/c`;
  const headers = { authorization, 'content-type': 'application/json' };
  const put = (body) => ask(`${url}?api-version=${VERSION}`, { method: 'PUT', headers, body: JSON.stringify(body) });
  await put(managed('sleep 30 & echo $!; wait', { asyncExecution: true }));
  await put(managed('sleep 31 & echo $!; wait', { asyncExecution: true }));
  azure.fail({ kind: 'hang' });
  azure.fail({ kind: 'slow', delay_ms: 60_000 });
  const waiting = [ask(url), ask(url)].map((asked) => assert.rejects(asked));
  while (azure.requests.filter(({ complete }) => complete).length < 5) await new Promise(setImmediate);
  await azure.close();
  await azure.close();
  await Promise.all(waiting);
});

async function fetchTrusting(url) {
  const [response] = await once(https.get(url, { ca: TLS.cert, agent: false }), 'response');
  return response.resume();
}

const ENDINGS = { SIGTERM: (child) => child.kill('SIGTERM'), 'the end of stdin': (child) => child.stdin.end() };
for (const [name, stop] of Object.entries(ENDINGS)) {
  test(`alone it prints its addresses, and ends on ${name}`, async (t) => {
    const key = file(t, 'key.pem', TLS.key);
    const tls = ['--tls-key', key, '--tls-cert', TLS.certFile];
    const args = [...tls, '--vms', '2', '--operation-ms', '0', '--output', 'fine', '--forget'];
    const child = spawn(process.execPath, [STANDIN, ...args, '--fault', '{"kind":"status","status":418}']);
    try {
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const azure = JSON.parse((await lines.next()).value);
      const compute = computeFor(azure);
      assert.equal((await fetchTrusting(`${azure.url}/`)).statusCode, 418);
      const body = shell('exit 1');
      const result = await compute.virtualMachines.runCommand(azure.resourceGroup, 'vm-001', body, QUICKLY);
      assert.equal(result.value[0].message, messageOf('fine'));
      const exit = once(child, 'exit');
      stop(child);
      const counts = JSON.parse((await lines.next()).value);
      assert.equal(counts.runs, 1);
      assert.deepEqual(await exit, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
}
