// azure-run for tests: the binary with the environment of a stand-in Azure, quick polls, and no way to any metadata
// service but the stand-in's.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after } from 'node:test';
import { run } from './support.mjs';

// Who signs in and where; a test takes away or replaces what it is about. Should a defect let it ask a real Azure, then
// through a proxy that is not there.
export function envOf(azure) {
  return {
    AZURE_TENANT_ID: azure.tenant, AZURE_CLIENT_ID: azure.clientId, AZURE_CLIENT_SECRET: azure.clientSecret,
    AZURE_SUBSCRIPTION_ID: azure.subscription, AZURE_RESOURCE_GROUP: azure.resourceGroup,
    AZURE_AUTHORITY_HOST: azure.authorityUrl, AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.imdsUrl,
    HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1',
  };
}

// The same without the secret: the test says how to sign in.
export function envWithoutSecret(azure) {
  const { AZURE_CLIENT_SECRET: _, ...env } = envOf(azure);
  return env;
}

export function azureRun(azure, args, { env = {}, baseEnv = envOf(azure), ...options } = {}) {
  seen.add(azure);
  return run(['azure-run', '--arm-endpoint', azure.armUrl, '--poll-interval', '20ms', ...args],
    { ...options, env: { ...baseEnv, ...env } });
}

// What a script that was killed could not clear up on the machine, which is this one.
const seen = new Set();
const keptBy = ({ script }) => /^w_dir=(\S+)/m.exec(script)?.[1];
after(() => {
  const kept = [...seen].flatMap(({ runs }) => runs.map(keptBy)).filter(Boolean);
  for (const path of kept) rmSync(path, { recursive: true, force: true });
});

// On one machine.
export const onLinux = (azure, args, options) => azureRun(azure, ['-n', 'linux-1', ...args], options);
export const onWindows = (azure, args, options) => azureRun(azure, ['-n', 'windows-1', ...args], options);

export const starts = (azure) => azure.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/runCommand'));
export const polls = (azure) => azure.requests.filter(({ path }) => path.includes('/operations/'));
export const vmNames = (count) => Array.from({ length: count }, (_, i) => `vm-${String(i).padStart(3, '0')}`);

// What it says beside the script's own standard error: its own lines.
export const ownLines = ({ stderr }) => stderr.split('\n').filter((line) => line.startsWith('opsbelt: '));

// The script's standard error alone.
export const scriptErrors = ({ stderr }) => stderr.split(/(?<=\n)/).filter((line) => !line.startsWith('opsbelt: ')).join('');

// What a person is told to copy: the last line of standard error, without the program's name, and its --attach alone.
const FOLLOW = /(?:^|\n)opsbelt: azure-run: to follow what goes on: opsbelt (azure-run .*--attach (\S+))\n$/;
export const followWords = ({ stderr }) => FOLLOW.exec(stderr)?.[1].split(' ');
export const attachToken = ({ stderr }) => FOLLOW.exec(stderr)?.[2];

export const noPwsh = spawnSync('pwsh', ['-Version']).error ? 'needs pwsh, which is not on the PATH' : false;

// A `run` of the stand-in in place of a process: what a wrapped action says of a script that came to this. answer(vm,
// script) -> { stdout, stderr, exitCode } or a promise of it; only short texts, uncompressed.
export function answering(answer) {
  return async (vm, script) => {
    const { stdout = '', stderr = '', exitCode = 0 } = await answer(vm, script);
    const nonce = /opsbelt-([0-9a-f]{16})|\$nonce = '([0-9a-f]{16})'/.exec(script).slice(1).find(Boolean);
    const bytes = { o: Buffer.from(stdout), e: Buffer.from(stderr) };
    const frame = (letter) => `${nonce}+${letter} ${bytes[letter].toString('base64')} b ${exitCode} `
      + `${bytes.o.length} ${bytes.e.length} 0 ${nonce}-${letter}\n`;
    return { stdout: frame('o'), stderr: frame('e'), exitCode: 0 };
  };
}
