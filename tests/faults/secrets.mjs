// Secrets that can be found again, whatever was done to them.
//
//   const secrets = newSecrets();
//   secrets.mark('bot token', 'xoxb-')      a new secret with that beginning, noted under that name
//   secrets.markOdd('password')             one with characters that URLs encode
//   secrets.add('access token', value)      one that somebody else made
//   secrets.names()                         of all that are noted
//   secrets.traces(text) -> [names]         those of which eight characters in a row stand in the text: as they are, URL-
//                                           encoded, as hex, or in base64 (wherever they lie in it)

import { randomBytes } from 'node:crypto';

const LEAST = 8; // characters in a row

export function newSecrets() {
  const pieces = new Map(); // a piece -> the name of its secret
  const names = new Set();
  const add = (name, value) => {
    names.add(name);
    for (const form of formsOf(value)) {
      for (let at = 0; at + LEAST <= form.length; at += 1) pieces.set(form.slice(at, at + LEAST), name);
    }
  };
  const note = (name, beginning, random) => {
    add(name, random);
    return beginning + random;
  };
  return {
    add,
    mark: (name, beginning = '') => note(name, beginning, random()),
    markOdd: (name) => note(name, '', `${random()}+/=&"${random()}`),
    names: () => [...names],
    traces(text) {
      const found = new Set();
      for (let at = 0; at + LEAST <= text.length; at += 1) {
        const name = pieces.get(text.slice(at, at + LEAST));
        if (name !== undefined) found.add(name);
      }
      return [...found];
    },
  };
}

const random = () => BigInt(`0x1${randomBytes(16).toString('hex')}`).toString(36);

// Base64 says the same three bytes in four characters; where they begin is not known, so all three places are tried,
// without the characters that depend on what stands beside the secret.
function formsOf(value) {
  const bytes = Buffer.from(value);
  const places = [0, 1, 2].map((before) => Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').slice(4, -4));
  const urlSafe = places.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), hex, hex.toUpperCase(), ...places, ...urlSafe];
}
