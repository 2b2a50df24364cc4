// azure-run signs in: every way there is, which one is taken, what is said when none works; --check; TLS and proxies.
// No test asks a metadata service but the stand-in's.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readLog } from '../standin/runner.mjs';
import { azureRun, envOf, envWithoutSecret, onLinux, ownLines, vmNames } from './azure.mjs';
import { readDocument } from './documents.mjs';
import { azureFor, closedPort, errorLine, file, folder, proxyFor, run, selfSigned } from './support.mjs';

const SCRIPT = ['--scripts', 'echo hello'];
const DEAD_PROXY = 'http://127.0.0.1:1';
const AT_ONCE = { concurrency: 4 };

// A certificate for the application: { cert, pem } with key and certificate in one file, the key under a password or not.
function appCertificate(t, password) {
  const [key, cert] = [join(folder(t), 'key.pem'), join(folder(t), 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=app', '-keyout', key, '-out', cert],
    { stdio: 'ignore' });
  if (password) execFileSync('openssl', ['pkcs8', '-topk8', '-in', key, '-out', `${key}.enc`, '-v2', 'aes-256-cbc', '-passout', `pass:${password}`]);
  const pem = readFileSync(password ? `${key}.enc` : key) + readFileSync(cert);
  return { cert: readFileSync(cert), path: file(t, 'app.pem', pem) };
}

const githubEnv = (azure) => ({ ACTIONS_ID_TOKEN_REQUEST_URL: azure.githubUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: azure.githubToken });
const appServiceEnv = (azure) => ({ IDENTITY_ENDPOINT: azure.identityEndpoint, IDENTITY_HEADER: azure.identityHeader });
const onlyImds = (azure) => {
  const { AZURE_TENANT_ID: _, AZURE_CLIENT_ID: __, ...env } = envWithoutSecret(azure);
  return env;
};
const credsOf = (azure, more = {}) => JSON.stringify({
  clientId: azure.clientId, clientSecret: azure.clientSecret, tenantId: azure.tenant, subscriptionId: azure.subscription, ...more,
});

// --- Each way ---

// name, what is given beside the machine: (azure, t) -> { env } in place of the usual, args; how the token came.
const WAYS = [
  ['a secret', (azure) => ({ env: envOf(azure) }), 'secret'],
  ['a federated token of GitHub', (azure) => ({ env: { ...envWithoutSecret(azure), ...githubEnv(azure) } }), 'github'],
  ['a workload\'s token file', (azure, t) => ({ env: { ...envWithoutSecret(azure), AZURE_FEDERATED_TOKEN_FILE: file(t, 'token', `${azure.workloadToken}\n`) } }), 'workload'],
  ['the machine\'s identity', (azure) => ({ env: onlyImds(azure) }), 'imds'],
  ['the machine\'s identity, one of several', (azure) => ({ env: { ...onlyImds(azure), AZURE_CLIENT_ID: azure.clientId } }), 'imds'],
  ['an App Service\'s identity', (azure) => ({ env: { ...onlyImds(azure), ...appServiceEnv(azure) } }), 'app-service'],
  ['azure/login\'s JSON', (azure) => ({ env: { ...onlyImds(azure), AZURE_SUBSCRIPTION_ID: '', AZURE_CREDENTIALS: credsOf(azure) } }), 'secret'],
  ['azure/login\'s JSON in a file', (azure, t) => ({ env: onlyImds(azure), args: ['--creds', `@${file(t, 'creds', credsOf(azure))}`] }), 'secret'],
  ['the flags', (azure) => ({ env: onlyImds(azure), args: ['--tenant', azure.tenant, '--client-id', azure.clientId, '--client-secret', azure.clientSecret] }), 'secret'],
];
describe('each way to sign in', AT_ONCE, () => {
  for (const [name, given, via] of WAYS) {
    test(name, async (t) => {
      const azure = await azureFor(t);
      const { env, args = [] } = given(azure, t);
      const result = await onLinux(azure, [...SCRIPT, ...args], { baseEnv: env });
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.stdout, 'hello\n');
      assert.deepEqual(azure.tokens.map((token) => [token.via, token.audience]), [[via, azure.armUrl]]);
    });
  }

  for (const password of [undefined, 'pass wörd']) {
    test(`a certificate ${password ? 'whose key has a password' : ''}`, async (t) => {
      const { cert, path } = appCertificate(t, password);
      const azure = await azureFor(t, { certificates: [cert] });
      const env = { ...envWithoutSecret(azure), AZURE_CLIENT_CERTIFICATE_PATH: path, ...(password && { AZURE_CLIENT_CERTIFICATE_PASSWORD: password }) };
      const result = await onLinux(azure, SCRIPT, { baseEnv: env });
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(azure.tokens.map(({ via }) => via), ['certificate']);
    });
  }

  test('azure/login\'s JSON may name another Azure', async (t) => {
    const azure = await azureFor(t);
    const env = { ...onlyImds(azure), AZURE_CREDENTIALS: credsOf(azure, { resourceManagerEndpointUrl: `${azure.armUrl}/` }) };
    const result = await run(['azure-run', '--poll-interval', '20ms', '-n', 'linux-1', ...SCRIPT], { env });
    assert.equal(result.code, 0, result.stderr);
  });
});

// --- Which one ---

test('--auth names the way, whatever else there is', async (t) => {
  const { cert, path } = appCertificate(t);
  const azure = await azureFor(t, { certificates: [cert] });
  const env = { ...envOf(azure), ...githubEnv(azure), ...appServiceEnv(azure), AZURE_CLIENT_CERTIFICATE_PATH: path,
    AZURE_FEDERATED_TOKEN_FILE: file(t, 'token', azure.workloadToken) };
  for (const [auth, via] of [['secret', 'secret'], ['certificate', 'certificate'], ['github', 'github'], ['workload', 'workload'], ['managed', 'app-service']]) {
    const result = await onLinux(azure, [...SCRIPT, '--auth', auth], { env });
    assert.equal(result.code, 0, `${auth}: ${result.stderr}`);
    assert.equal(azure.tokens.at(-1).via, via);
  }
});

const NEEDS = [
  ['secret', /--auth secret needs --client-secret \(AZURE_CLIENT_SECRET\)/],
  ['certificate', /--auth certificate needs --certificate \(AZURE_CLIENT_CERTIFICATE_PATH\)/],
  ['workload', /--auth workload needs --federated-token-file \(AZURE_FEDERATED_TOKEN_FILE\)/],
  ['github', /--auth github needs ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN; it works only in a job of GitHub Actions/],
];
for (const [auth, line] of NEEDS) {
  test(`--auth ${auth} without what it needs: 78, and what that is`, async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, [...SCRIPT, '--auth', auth], { baseEnv: envWithoutSecret(azure) });
    assert.equal(result.code, 78);
    assert.match(errorLine(result), line);
    assert.equal(azure.requests.length, 0);
  });
}

test('a secret without who it is of: 78, and what is missing', async (t) => {
  const azure = await azureFor(t);
  const result = await onLinux(azure, SCRIPT, { env: { AZURE_TENANT_ID: '' } });
  assert.equal(result.code, 78);
  assert.match(errorLine(result), /--client-secret \(AZURE_CLIENT_SECRET\) is given, which needs --tenant \(AZURE_TENANT_ID\) too/);
});

test('in a job without the permission the remedy is told: 78', async (t) => {
  const azure = await azureFor(t);
  const env = { ...envWithoutSecret(azure), GITHUB_ACTIONS: 'true' };
  const result = await onLinux(azure, [...SCRIPT, '--auth', 'github'], { baseEnv: env });
  assert.equal(result.code, 78);
  assert.match(ownLines(result)[0], /add `permissions: id-token: write` to the job/);
  // Not told to use GitHub, and no identity there.
  const nobody = `http://127.0.0.1:${await closedPort()}`;
  const other = await onLinux(azure, SCRIPT, { baseEnv: { ...env, AZURE_POD_IDENTITY_AUTHORITY_HOST: nobody } });
  assert.equal(other.code, 78);
  assert.match(ownLines(other)[0], /this machine has no managed identity: .*and add `permissions: id-token: write` to the job/);
});

test('no identity on this machine: 78 at once, with the other ways', async (t) => {
  const azure = await azureFor(t);
  const nobody = `http://127.0.0.1:${await closedPort()}`;
  const began = performance.now();
  const result = await onLinux(azure, SCRIPT, { baseEnv: { ...onlyImds(azure), AZURE_POD_IDENTITY_AUTHORITY_HOST: nobody } });
  assert.equal(result.code, 78);
  assert.ok(performance.now() - began < 2000);
  const line = errorLine(result);
  for (const way of ['--client-secret', '--certificate', '--federated-token-file', 'id-token: write']) assert.ok(line.includes(way), line);
});

// --- Refused ---

const REFUSED = [
  ['a wrong secret', { AZURE_CLIENT_SECRET: 'wrong/secret+1' }, /Entra refuses to sign in by secret \(HTTP 401\): invalid_client: AADSTS7000215: Invalid client secret provided.*; check --client-id, --tenant and whether the secret has expired/],
  ['a wrong client', { AZURE_CLIENT_ID: '99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee' }, /AADSTS700016: Application with identifier '99999999/],
  ['a wrong tenant', { AZURE_TENANT_ID: 'other.example' }, /AADSTS90002: Tenant 'other\.example' not found/],
];
for (const [name, env, line] of REFUSED) {
  test(`${name}: 77, in Entra's words and with what to check`, async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, SCRIPT, { env });
    assert.equal(result.code, 77, result.stderr);
    assert.match(errorLine(result), line);
    assert.ok(!result.stderr.includes(env.AZURE_CLIENT_SECRET ?? azure.clientSecret), 'the secret is shown');
    assert.equal(azure.requests.length, 1, 'a refusal is not asked again');
  });
}

test('Entra that repeats the secret does not get it printed', async (t) => {
  const azure = await azureFor(t);
  const body = { error: 'invalid_client', error_description: `AADSTS1: ${azure.clientSecret} and ${encodeURIComponent(azure.clientSecret)} are wrong` };
  azure.fail({ kind: 'status', on: 'token', status: 401, body });
  const result = await onLinux(azure, SCRIPT);
  assert.equal(result.code, 77);
  assert.match(errorLine(result), /AADSTS1: \*\*\* and \*\*\* are wrong/);
});

test('a certificate that is not the app\'s: 77; a password that is wrong or missing: told', async (t) => {
  const [mine, locked] = [appCertificate(t), appCertificate(t, 'right')];
  const azure = await azureFor(t);
  const by = (path, password = '') => onLinux(azure, SCRIPT, { baseEnv: {
    ...envWithoutSecret(azure), AZURE_CLIENT_CERTIFICATE_PATH: path, AZURE_CLIENT_CERTIFICATE_PASSWORD: password,
  } });
  const strange = await by(mine.path);
  assert.equal(strange.code, 77);
  assert.match(errorLine(strange), /AADSTS700027.*this certificate is one of the app's/);
  for (const [path, password, code] of [[locked.path, 'wrong', 78], [locked.path, '', 78], ['/nowhere/app.pem', '', 66]]) {
    const result = await by(path, password);
    assert.equal(result.code, code, result.stderr);
    assert.match(errorLine(result), code === 66 ? /\/nowhere\/app\.pem/ : /--certificate-password \(AZURE_CLIENT_CERTIFICATE_PASSWORD\)/);
  }
});

test('GitHub or an identity that refuses: told by whom', async (t) => {
  const azure = await azureFor(t);
  const github = await onLinux(azure, SCRIPT, { baseEnv: { ...envWithoutSecret(azure), ...githubEnv(azure), ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'old' } });
  assert.equal(github.code, 77);
  assert.match(errorLine(github), /GitHub gives this job no OIDC token \(HTTP 401\)/);
  const app = await onLinux(azure, SCRIPT, { baseEnv: { ...onlyImds(azure), ...appServiceEnv(azure), IDENTITY_HEADER: 'wrong' } });
  assert.equal(app.code, 77);
  assert.match(errorLine(app), /the App Service's managed identity gives no token \(HTTP 401\)/);
  const imds = await onLinux(azure, SCRIPT, { baseEnv: { ...onlyImds(azure), AZURE_CLIENT_ID: 'another' } });
  assert.equal(imds.code, 78);
  assert.match(errorLine(imds), /no managed identity with that --client-id \(AZURE_CLIENT_ID\) is assigned to this machine/);
});

const CREDS = [
  ['no JSON', 'secret', /AZURE_CREDENTIALS/],
  ['not all of it', '{"clientId":"x"}', /AZURE_CREDENTIALS has no text as clientSecret and tenantId; it is the JSON that azure\/login takes/],
];
for (const [name, creds, line] of CREDS) {
  test(`credentials that are none: ${name}: 65, and not shown`, async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, SCRIPT, { baseEnv: { ...onlyImds(azure), AZURE_CREDENTIALS: creds } });
    assert.equal(result.code, 65, result.stderr);
    assert.match(errorLine(result), line);
  });
}

const SHOWN = [
  ['--client-secret', 'AZURE_CLIENT_SECRET', (azure) => ({ value: azure.clientSecret })],
  ['--creds', 'AZURE_CREDENTIALS', (azure) => ({ value: credsOf(azure) })],
  ['--certificate-password', 'AZURE_CLIENT_CERTIFICATE_PASSWORD', (azure, { path }) => ({ value: 'pass-word-1', args: ['--certificate', path] })],
  ['--run-as-password', 'AZURE_RUN_AS_PASSWORD', (azure) => (
    { value: 'pass-word-1', args: ['--managed', '--run-as', 'u'], env: { AZURE_CLIENT_SECRET: azure.clientSecret } })],
];
for (const [option, variable, given] of SHOWN) {
  test(`${option} on the command line works, and is warned about`, async (t) => {
    const certificate = appCertificate(t, 'pass-word-1');
    const azure = await azureFor(t, { certificates: [certificate.cert] });
    const { value, args = [], env = {} } = given(azure, certificate);
    const result = await onLinux(azure, [...SCRIPT, ...args, option, value], { baseEnv: { ...envWithoutSecret(azure), ...env } });
    assert.equal(result.code, 0, result.stderr);
    const warnings = ownLines(result).filter((line) => line.includes('can be read by others'));
    assert.deepEqual(warnings, [`opsbelt: azure-run: ${option} on the command line can be read by others on this machine; set ${variable} instead`]);
    assert.ok(!result.stderr.includes(azure.clientSecret) && !result.stderr.includes('pass-word-1'));
  });
}

test('credentials in a file, and secrets of the environment, are not warned about', async (t) => {
  const azure = await azureFor(t);
  for (const [args, baseEnv] of [[['--creds', `@${file(t, 'creds', credsOf(azure))}`], onlyImds(azure)], [[], envOf(azure)]]) {
    const result = await onLinux(azure, [...SCRIPT, ...args], { baseEnv });
    assert.equal(result.code, 0, result.stderr);
    assert.doesNotMatch(result.stderr, /can be read by others/);
  }
});

test('azure/login\'s JSON does not come before --client-id and --tenant given as flags', async (t) => {
  const azure = await azureFor(t);
  const creds = credsOf(azure, { clientId: '99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee', tenantId: 'other.example' });
  const flags = ['--client-id', azure.clientId, '--tenant', azure.tenant];
  const result = await onLinux(azure, [...SCRIPT, ...flags], { baseEnv: { ...onlyImds(azure), AZURE_CREDENTIALS: creds } });
  assert.equal(result.code, 0, result.stderr);
  // What the environment has by itself is of another sign-in.
  const both = { ...envWithoutSecret(azure), AZURE_CLIENT_ID: 'another', AZURE_CREDENTIALS: credsOf(azure) };
  const other = await onLinux(azure, SCRIPT, { baseEnv: both });
  assert.equal(other.code, 0, other.stderr);
});

test('what GitHub and a certificate prove is masked, too', async (t) => {
  const azure = await azureFor(t);
  const env = { ...envWithoutSecret(azure), ...githubEnv(azure), GITHUB_ACTIONS: 'true' };
  const result = await onLinux(azure, SCRIPT, { baseEnv: env });
  assert.equal(result.code, 0, result.stderr);
  const masked = readLog(result.stderr).commands.map(({ data }) => data);
  const [, entra] = azure.requests;
  assert.ok(masked.includes(entra.form.client_assertion));
  assert.ok(masked.includes(azure.tokens[0].token));
});

// --- --check ---

const lines = ({ stdout }) => stdout.trimEnd().split('\n');
const ACTION = 'Microsoft.Compute/virtualMachines/runCommand/action';
const FOLLOWING = 'Microsoft.Compute/locations/operations/read';
const CHECKS = [
  ['all is well', {}, 0, [/ok: the machine is running, its agent Ready$/, /ok: .*runCommand\/action on the machine$/, new RegExp(`ok: ${FOLLOWING} on the resource group`)]],
  ['the role is at the machine only', { roles: { vm: ['*'], resourceGroup: [] } }, 77, [/ok: the machine/, /ok: .* on the machine$/, new RegExp(`WRONG: ${FOLLOWING} is missing on the resource group, which following the script needs; give the role Virtual Machine Contributor`)]],
  ['no role but to read', { roles: { vm: ['*/read'], resourceGroup: ['*/read'] } }, 77, [/ok: the machine/, new RegExp(`WRONG: ${ACTION} is missing on the machine`), /ok: .*resource group/]],
  ['it is stopped', { vms: [{ name: 'linux-1', powerState: 'deallocated' }] }, 69, [/WRONG: the machine is deallocated, its agent Not Ready; start it first$/, /ok/, /ok/]],
  ['its agent is not ready', { vms: [{ name: 'linux-1', agent: 'Not Ready' }] }, 69, [/WRONG: the machine is running, its agent Not Ready; a script needs the agent/, /ok/, /ok/]],
  ['it is not there', { vms: ['another'] }, 66, [/WRONG: Azure did not read the machine: ResourceNotFound/, /WRONG/, /ok/]],
];
for (const [name, options, code, expected] of CHECKS) {
  test(`--check runs nothing and tells: ${name}: ${code}`, async (t) => {
    const azure = await azureFor(t, options);
    const result = await onLinux(azure, ['--check']);
    assert.equal(result.code, code, result.stdout + result.stderr);
    assert.equal(lines(result).length, expected.length, result.stdout);
    for (const [i, line] of lines(result).entries()) assert.match(line, new RegExp(`^linux-1: ${expected[i].source}`));
    assert.ok(azure.requests.every(({ method, path }) => method === 'GET' || path.endsWith('/token')));
  });
}

const SCRIPTS = [
  [['--scripts', 'echo x'], 0, /^script: ok: 6 bytes$/m],
  [['--command-id', 'ifconfig'], 0, /^script: ok: ifconfig is a command of Azure's own$/m],
  [['--scripts', '@/nowhere/a.sh'], 66, /^script: WRONG: can't read the script from \/nowhere\/a\.sh/m],
  [['--script-file', '/dev/null'], 65, /^script: WRONG: the script is empty$/m],
  [['--command-id', 'RunShelScript', '--scripts', 'x'], 64, /^script: WRONG: .*; did you mean RunShellScript\?/m],
];
for (const [args, code, line] of SCRIPTS) {
  test(`--check looks at the script, too: ${args.join(' ')}: ${code}`, async (t) => {
    const azure = await azureFor(t);
    const result = await onLinux(azure, ['--check', ...args]);
    assert.equal(result.code, code, result.stdout + result.stderr);
    assert.match(result.stdout, line);
    assert.match(result.stdout, /^linux-1: ok/m);
  });
}

test('--check --managed asks for the rights that this needs', async (t) => {
  const vm = ['Microsoft.Compute/virtualMachines/read', 'Microsoft.Compute/virtualMachines/runCommands/*'];
  const azure = await azureFor(t, { roles: { vm, resourceGroup: [] } });
  const result = await onLinux(azure, ['--check', '--managed']);
  assert.equal(result.code, 0, result.stdout);
  const poor = await azureFor(t, { roles: { vm: vm.slice(0, 1), resourceGroup: [] } });
  const refused = await onLinux(poor, ['--check', '--managed']);
  assert.equal(refused.code, 77);
  assert.equal(lines(refused).filter((line) => line.includes('WRONG')).length, 3, refused.stdout);
});

test('--check of several machines tells of each', async (t) => {
  const azure = await azureFor(t, { vms: ['a', { name: 'b', powerState: 'stopped' }] });
  const result = await azureRun(azure, ['--all', '--check']);
  assert.equal(result.code, 69);
  assert.equal(lines(result).filter((line) => line.startsWith('a: ok')).length, 3);
  assert.match(result.stdout, /^b: WRONG: the machine is stopped/m);
});

test('--check ends with the code of what is wrong first', async (t) => {
  const azure = await azureFor(t, { vms: [{ name: 'a', roles: ['*/read'] }, { name: 'b', powerState: 'stopped' }], roles: { resourceGroup: [] } });
  const codeOf = async (names) => (await azureRun(azure, ['-n', ...names, '--check'])).code;
  assert.deepEqual([await codeOf(['a', 'b']), await codeOf(['b', 'a'])], [77, 69]);
});

test('--check whose retries are spent: 75, and the other findings stand', async (t) => {
  const azure = await azureFor(t);
  azure.fail({ kind: 'status', on: 'vm', status: 503 });
  const result = await onLinux(azure, ['--check', '--retry-budget', '0']);
  assert.equal(result.code, 75, result.stderr);
  assert.match(lines(result)[0], /^linux-1: WRONG: Azure did not read the machine: ServiceUnavailable: .* \(HTTP 503\)/);
  assert.equal(lines(result).filter((line) => line.startsWith('linux-1: ok: ')).length, 2);
});

for (const output of ['json', 'jsonl']) {
  test(`--check --output ${output}: name, ok and finding of each`, async (t) => {
    const azure = await azureFor(t, { vms: ['a', { name: 'b', powerState: 'stopped' }] });
    const result = await azureRun(azure, ['--all', '--check', '--output', output]);
    assert.equal(result.code, 69, result.stderr);
    const list = output === 'json' ? JSON.parse(result.stdout) : lines(result).map((line) => JSON.parse(line));
    assert.deepEqual(list.map(({ name, ok }) => [name, ok]), ['a', 'a', 'a', 'b', 'b', 'b'].map((name, i) => [name, i !== 3]));
    assert.deepEqual(Object.keys(list[0]), ['name', 'ok', 'state', 'finding']);
    assert.deepEqual([list[3].state, list[3].code], ['wrong', 69]);
    assert.equal(list[3].finding, 'the machine is stopped, its agent Not Ready; start it first');
  });
}

test('--check tells two machines of one name apart', async (t) => {
  const azure = await azureFor(t, { vms: ['a', { name: 'a', resourceGroup: 'other-rg', powerState: 'stopped' }] });
  const result = await azureRun(azure, ['--all', '--whole-subscription', '--check']);
  assert.equal(result.code, 69, result.stderr);
  assert.match(result.stdout, /^other-rg\/a: WRONG: the machine is stopped/im);
});

// --- TLS, proxies ---

test('over https with the authority of SSL_CERT_FILE; without it nothing is sent', async (t) => {
  const tls = selfSigned(t);
  const azure = await azureFor(t, { tls });
  const trusted = await onLinux(azure, SCRIPT, { env: { SSL_CERT_FILE: tls.certFile } });
  assert.equal(trusted.code, 0, trusted.stderr);
  assert.equal(trusted.stdout, 'hello\n');
  const count = azure.requests.length;
  const strange = await onLinux(azure, [...SCRIPT, '--retry-budget', '0']);
  assert.notEqual(strange.code, 0);
  assert.match(errorLine(strange), /certificate/);
  assert.equal(azure.requests.length, count);
});

test('through a proxy, tunnelled; the proxy sees neither secret nor token', async (t) => {
  const tls = selfSigned(t);
  const azure = await azureFor(t, { tls });
  for (const by of ['flag', 'environment']) {
    const proxy = await proxyFor(t, { user: 'me:pass@' });
    const args = by === 'flag' ? ['--proxy', proxy.url] : [];
    const env = { SSL_CERT_FILE: tls.certFile, ...(by === 'environment' && { HTTPS_PROXY: proxy.url, NO_PROXY: '' }) };
    const result = await onLinux(azure, [...SCRIPT, ...args], { env });
    assert.equal(result.code, 0, result.stderr);
    assert.ok(proxy.seen.length > 0, by);
    for (const head of proxy.seen) {
      assert.match(head, /^CONNECT 127\.0\.0\.1:\d+ HTTP/);
      assert.match(head, /proxy-authorization: Basic/i);
      assert.ok(!head.includes('Bearer'));
    }
    assert.ok(azure.requests.every(({ headers }) => headers['proxy-authorization'] === undefined));
  }
});

test('a proxy that refuses is told by its status, without its password', async (t) => {
  const tls = selfSigned(t);
  const azure = await azureFor(t, { tls });
  const proxy = await proxyFor(t, { refuse: '407 Proxy Authentication Required', user: 'me:pass-word@' });
  const result = await onLinux(azure, [...SCRIPT, '--proxy', proxy.url, '--retry-budget', '0'], { env: { SSL_CERT_FILE: tls.certFile } });
  assert.notEqual(result.code, 0);
  assert.match(errorLine(result), /407/);
  assert.ok(!result.stderr.includes('pass-word'));
});

test('a machine\'s identity is asked without a proxy', async (t) => {
  const azure = await azureFor(t);
  const proxy = await proxyFor(t);
  const result = await onLinux(azure, [...SCRIPT, '--proxy', proxy.url], { baseEnv: onlyImds(azure) });
  assert.equal(result.code, 0, result.stderr);
  assert.ok(proxy.seen.every((head) => !head.includes('/metadata/identity')), proxy.seen.join('\n'));
});

for (const [name, envFor] of [['a machine\'s', () => ({})], ['an App Service\'s', appServiceEnv]]) {
  test(`${name} identity is asked without the proxy of the environment`, async (t) => {
    const azure = await azureFor(t);
    const proxies = { HTTPS_PROXY: DEAD_PROXY, http_proxy: DEAD_PROXY, HTTP_PROXY: DEAD_PROXY, ALL_PROXY: DEAD_PROXY, NO_PROXY: '' };
    const result = await onLinux(azure, [...SCRIPT, '--retry-budget', '0'], { baseEnv: { ...onlyImds(azure), ...envFor(azure), ...proxies } });
    assert.equal(azure.tokens.length, 1, result.stderr); // ARM is behind the proxy that is not there
    assert.equal(result.code, 69, result.stderr);
    assert.equal(azure.requests.length, 1);
  });
}

test('a sign-in that is refused is not tried again for each machine', async (t) => {
  const azure = await azureFor(t, { vms: 30 });
  const result = await azureRun(azure, ['-n', ...vmNames(30), ...SCRIPT], { env: { AZURE_CLIENT_SECRET: 'wrong' } });
  assert.equal(result.code, 77);
  assert.match(errorLine(result), /AADSTS7000215/);
  assert.equal(azure.requests.length, 1, 'asked again with the same wrong secret');
});

test('a renewal that fails ends no run while the old token lives', async (t) => {
  const azure = await azureFor(t, { tokenSeconds: 4 }); // renewed after two
  const running = onLinux(azure, ['--scripts', 'sleep 2.2; echo hello']);
  while (azure.tokens.length === 0) await delay(5);
  azure.fail({ kind: 'status', on: 'token', status: 400 });
  const result = await running;
  assert.deepEqual([result.code, result.stdout], [0, 'hello\n'], result.stderr);
  assert.equal(azure.requests.filter(({ path }) => path.endsWith('/token')).length, 2, 'a failure holds for a while');
});

test('--check that can\'t sign in or reach anybody says so once, with that code', async (t) => {
  const azure = await azureFor(t);
  const refused = await onLinux(azure, ['--check'], { env: { AZURE_CLIENT_SECRET: 'wrong' } });
  assert.deepEqual([refused.code, refused.stderr], [77, '']);
  assert.match(refused.stdout, /^sign-in: WRONG: .*AADSTS7000215.*\n$/);
  assert.equal(azure.requests.length, 1, 'asked again and again');
  const nobody = `http://127.0.0.1:${await closedPort()}`;
  const alone = await onLinux(azure, ['--check', '--retry-budget', '0', '--authority', nobody]);
  assert.equal(alone.code, 69, alone.stderr);
  assert.match(alone.stdout, /^sign-in: WRONG: .*\n$/);
  const none = await onLinux(azure, ['--check'], { baseEnv: { ...onlyImds(azure), AZURE_POD_IDENTITY_AUTHORITY_HOST: nobody } });
  assert.equal(none.code, 78, none.stderr);
  assert.match(none.stdout, /^sign-in: WRONG: .*\n$/);
});

test('the role that the documents name is enough; --check and the run agree', async (t) => {
  const text = readDocument('docs/azure-run.md');
  const [, usual, managed] = /A role of your own needs ([\s\S]*?);\s+with\s+`--managed` ([\s\S]*?) instead of the first\./.exec(text);
  const [start, ...others] = [...usual.matchAll(/`(.*?)`/g)].map((match) => match[1]);
  const [read, ...verbs] = [...managed.matchAll(/`(.*?)`/g)].map((match) => match[1]);
  const instead = [read, ...verbs.map((verb) => read.replace(/[^/]+$/, verb))];
  for (const [args, actions] of [[[], [start, ...others]], [['--managed'], [...instead, ...others]]]) {
    const azure = await azureFor(t, { roles: { vm: [], resourceGroup: actions } });
    const check = await onLinux(azure, ['--check', ...args]);
    const result = await onLinux(azure, [...SCRIPT, ...args]);
    assert.deepEqual([check.code, result.code], [0, 0], check.stdout + result.stderr);
  }
});
