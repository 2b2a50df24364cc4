// What --check printed, for its tests.

import assert from 'node:assert/strict';

// [{ name, state, text }] of the text that was printed.
export function findingsOf({ stdout, stderr }) {
  return stdout.split('\n').filter(Boolean).map((line) => {
    const found = /^(.*?): (ok|warning|not checked|WRONG): (.*)$/.exec(line);
    assert.ok(found, `no finding: ${line}\n${stderr}`);
    return { name: found[1], state: found[2], text: found[3] };
  });
}

// Every expected finding is there: [name, state, pattern of its text]; and no other is wrong, nor a warning.
export function assertFound(result, code, expected) {
  const all = findingsOf(result);
  const shown = `${result.stdout}${result.stderr}`;
  for (const [name, state, pattern] of expected) {
    const there = all.some((one) => one.name === name && one.state === state && pattern.test(one.text));
    assert.ok(there, `not found: ${name}: ${state}: ${pattern}\n${shown}`);
  }
  const bad = ({ state }) => state === 'WRONG' || state === 'warning';
  const known = new Set(expected.map(([name, state]) => `${name} ${state}`));
  const others = all.filter(bad).filter(({ name, state }) => !known.has(`${name} ${state}`));
  assert.deepEqual(others, [], shown);
  assert.equal(result.code, code, shown);
}

// Only methods that look were called, and nothing was posted.
const LOOKS = ['auth.test', 'conversations.info', 'conversations.list', 'users.lookupByEmail'];
export function assertNothingSent(slack) {
  assert.deepEqual(slack.accepted, []);
  assert.deepEqual(slack.requests.map(({ path }) => path.replace('/api/', '')).filter((name) => !LOOKS.includes(name)), []);
}

// The words that must not be seen.
export function assertHidden({ stdout, stderr }, ...secrets) {
  for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret), `shown: ${secret}`);
}
