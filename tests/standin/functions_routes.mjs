// The functions of an Azure Functions app folder, and which of them takes a request.
//
//   readFunctions(appDir) -> [{ name, route, methods, authLevel, trigger, outputs }]
//     of every <name>/function.json that is not disabled. trigger: the one binding that ends in Trigger; outputs: the
//     bindings with direction out; route and methods (in lower case, undefined: any) of HTTP functions only
//   findRoute(functions, routePrefix, method, path) -> { fn, params } or undefined
//     params: of {name}, {name?}, {name:constraint} and {*rest}, decoded; a missing {name?} is left out
//
// Literal parts count more than parameters, whatever their case; constraints are not checked. A request with a method
// that the function does not list finds no route (404, as routing by method in ASP.NET does; unconfirmed).
// Throws on a function.json that has not exactly one trigger.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export function readFunctions(appDir) {
  const functions = [];
  for (const entry of readdirSync(appDir, { withFileTypes: true })) {
    const text = entry.isDirectory() ? readIfThere(join(appDir, entry.name, 'function.json')) : undefined;
    if (text === undefined) continue;
    const { bindings, disabled } = JSON.parse(text);
    if (disabled !== true) functions.push(describe(entry.name, bindings));
  }
  return functions;
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function describe(name, bindings) {
  const triggers = bindings.filter(({ type }) => /trigger$/i.test(type));
  if (triggers.length !== 1) throw new Error(`${name}/function.json has ${triggers.length} triggers`);
  const [trigger] = triggers;
  const outputs = bindings.filter(({ direction }) => direction?.toLowerCase() === 'out');
  if (!isHttp(trigger)) return { name, trigger, outputs };
  return {
    name, trigger, outputs, route: trigger.route || name, authLevel: (trigger.authLevel ?? 'function').toLowerCase(),
    methods: trigger.methods?.map((method) => method.toLowerCase()),
  };
}

const isHttp = ({ type }) => type.toLowerCase() === 'httptrigger';

export function findRoute(functions, routePrefix, method, path) {
  const parts = path.split('/').filter(Boolean);
  const found = [];
  for (const fn of functions) {
    if (fn.route === undefined || (fn.methods && !fn.methods.includes(method.toLowerCase()))) continue;
    const template = `${routePrefix}/${fn.route}`.split('/').filter(Boolean);
    const match = matchParts(template, parts);
    if (match) found.push({ fn, ...match });
  }
  found.sort((a, b) => (a.ranks < b.ranks ? -1 : 1));
  return found[0] && { fn: found[0].fn, params: found[0].params };
}

// ranks: one digit a part, 0 for a literal one, 1 for a parameter, 2 for the rest.
function matchParts(template, parts) {
  const params = {};
  let ranks = '';
  for (const [i, part] of template.entries()) {
    const [, star, name, optional] = part.match(/^\{(\**)([^:?}]+)(?::[^}]*?)?(\?)?\}$/) ?? [];
    if (star) {
      const rest = parts.slice(i).map(decode).join('/');
      if (rest !== '') params[name] = rest;
      return { params, ranks: `${ranks}2` };
    }
    if (parts[i] === undefined && !optional) return undefined;
    if (name === undefined && part.toLowerCase() !== decode(parts[i]).toLowerCase()) return undefined;
    if (name !== undefined && parts[i] !== undefined) params[name] = decode(parts[i]);
    ranks += name === undefined ? '0' : '1';
  }
  return parts.length > template.length ? undefined : { params, ranks };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
