// What an Azure Functions host and a custom handler say to each other: requests out of requests, replies of replies.
//
//   forwardedRequest(req, body, path)         legacy httpWorker and enableForwardingHttpRequest
//   proxiedHeaders(req)                       enableProxyingHttpRequest
//   httpData(req, body, url, params)          the envelope's Data.<trigger> of an HTTP request
//   triggerData(value), triggerMetadata(name, fields)    the same of another trigger, and the envelope's Metadata
//   readResult(reply)                         { outputs, returnValue, logs } of an envelope's answer; throws
//   httpReply(fn, result)                     { status, headers, body } of it; throws
//
// Known from azure-functions-host's sources as read, not tried (DefaultHttpWorkerService, HttpRequestExtensions,
// HttpBinding, ScriptInvocationContextExtensions, HttpScriptInvocationResultExtensions):
// - Forwarding copies headers by .NET's rules: those of the content (Content-Type, Content-Encoding, …) only along with
//   a body, and a body only with a Content-Length over 0. Host stays the caller's; User-Agent gets the host's appended.
//   The query is decoded, doubled names joined by ',', and encoded again.
// - A chunked request can't be forwarded: .NET throws at a Transfer-Encoding without content (500).
// - In the envelope, Body is there only with a Content-Length over 0; the text is decoded as UTF-8 (a byte order mark
//   goes, bad bytes become U+FFFD); octet-stream and multipart bodies are base64. Query is an object in today's hosts
//   (Azure's page shows the text '{}'); Headers are lists under the names as sent; Identities follow.
// - What is no object is JSON within JSON: a queue message hi is "\"hi\"", a DequeueCount of 1 is "1" (Azure's page
//   shows them plain); bytes are base64.
// - The answer must have a status in the 200s and a JSON Content-Type, else the invocation failed (500). Only outputs
//   that function.json names are taken. With $return a text is the body; an object with a body is a response.
// - The names in res are matched in any case; statusCode may be text.
// Unconfirmed: the whole set of Metadata of an HTTP request (here: sys alone); a res that is missing, here 500; the
// name x-ms-invocation-id, which proxying adds. The version is only of the right shape.
// Not built: outputs that look like base64 (the real host decodes them, even by accident).

import { randomUUID } from 'node:crypto';

export const HOST_VERSION = '4.1040.300.0';
const CONTENT_HEADERS = new Set([
  'allow', 'content-disposition', 'content-encoding', 'content-language', 'content-length', 'content-location',
  'content-md5', 'content-range', 'content-type', 'expires', 'last-modified',
]);
const HOP_HEADERS = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

// --- Requests ---

export function hostHeaders(invocationId) {
  return { 'X-Azure-Functions-HostVersion': HOST_VERSION, 'X-Azure-Functions-InvocationId': invocationId };
}

// [name, value] pairs as they came.
function headerPairs({ rawHeaders }) {
  const pairs = [];
  for (let i = 0; i < rawHeaders.length; i += 2) pairs.push([rawHeaders[i], rawHeaders[i + 1]]);
  return pairs;
}

function headerLists(pairs) {
  const names = new Map(); // in lower case -> as first spelled
  const lists = {};
  for (const [name, value] of pairs) {
    const low = name.toLowerCase();
    if (!names.has(low)) names.set(low, name);
    (lists[names.get(low)] ??= []).push(value);
  }
  return lists;
}

// The same for node, which takes some headers, Host among them, as text only.
function outgoing(pairs) {
  const lists = Object.entries(headerLists(pairs));
  return Object.fromEntries(lists.map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

export function forwardedRequest(req, body, path) {
  if (req.headers['transfer-encoding']) throw new Error('a chunked request can not be forwarded');
  const hasBody = Number(req.headers['content-length']) > 0;
  const kept = headerPairs(req).filter(([name]) => {
    const low = name.toLowerCase();
    return !CONTENT_HEADERS.has(low) && !HOP_HEADERS.has(low) && low !== 'user-agent';
  });
  if (hasBody) {
    kept.push(['Content-Length', String(body.length)]);
    if (req.headers['content-type']) kept.push(['Content-Type', req.headers['content-type']]);
  }
  const agent = `Azure-Functions-Host/${HOST_VERSION}`;
  kept.push(['User-Agent', req.headers['user-agent'] ? `${req.headers['user-agent']} ${agent}` : agent]);
  const query = Object.entries(queryOf(req.url))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return {
    path: query ? `${path}?${query}` : path, headers: outgoing(kept), body: hasBody ? body : undefined,
  };
}

export function proxiedHeaders(req) {
  return outgoing(headerPairs(req).filter(([name]) => {
    const low = name.toLowerCase();
    return low === 'transfer-encoding' || !HOP_HEADERS.has(low); // node sends chunks when it is there
  }));
}

function queryOf(url) {
  const query = {};
  for (const [name, value] of new URL(url, 'http://host').searchParams) {
    query[name] = Object.hasOwn(query, name) ? `${query[name]},${value}` : value;
  }
  return query;
}

export function httpData(req, body, origin, params) {
  const data = {
    Url: origin + req.url, Method: req.method, Query: queryOf(req.url), Headers: headerLists(headerPairs(req)),
    Params: params, Identities: [ANONYMOUS],
  };
  if (Number(req.headers['content-length']) > 0) {
    const type = (req.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
    const binary = type === 'application/octet-stream' || type.startsWith('multipart/');
    data.Body = binary ? body.toString('base64') : new TextDecoder().decode(body);
  }
  return data;
}

const ANONYMOUS = {
  AuthenticationType: null, IsAuthenticated: false, Actor: null, BootstrapContext: null, Claims: [], Label: null,
  Name: null, NameClaimType: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  RoleClaimType: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
};

export function triggerData(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? value : JSON.stringify(value);
}

export function triggerMetadata(functionName, fields = {}) {
  const metadata = Object.entries(fields).map(([name, value]) => [name, triggerData(value)]);
  const sys = { MethodName: functionName, UtcNow: new Date().toISOString(), RandGuid: randomUUID() };
  return { ...Object.fromEntries(metadata), sys };
}

// --- Replies ---

export function readResult({ status, headers, body }) {
  if (status < 200 || status > 299) throw new Error(`the handler answered ${status}: ${start(body)}`);
  if (!/^(application|text)\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new Error(`the handler's answer has the Content-Type ${headers['content-type']}, not JSON`);
  }
  let json;
  try {
    json = JSON.parse(body);
  } catch {
    throw new Error(`the handler's answer is no JSON: ${start(body)}`);
  }
  const [outputs, logs] = [field(json, 'Outputs') ?? {}, field(json, 'Logs') ?? []];
  if (!isPlain(outputs)) throw new Error('Outputs is no object');
  if (!Array.isArray(logs)) throw new Error('Logs is no list');
  return { outputs, returnValue: field(json, 'ReturnValue') ?? null, logs };
}

const start = (body) => JSON.stringify(body.toString().slice(0, 200));
const isPlain = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function field(object, name) {
  if (!isPlain(object)) return undefined;
  const key = Object.keys(object).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

export function httpReply(fn, { outputs, returnValue }) {
  const binding = fn.outputs.find(({ type }) => type.toLowerCase() === 'http');
  if (!binding) return { status: 204, headers: {}, body: '' }; // a function without http out; unconfirmed
  if (binding.name === '$return') {
    const hasBody = field(returnValue, 'body') !== undefined;
    return contentReply(hasBody ? returnValue : { body: returnValue });
  }
  let response = outputs[binding.name];
  if (typeof response === 'string') response = parseOr(response);
  if (!isPlain(response)) throw new Error(`Outputs has no response under ${binding.name}`);
  return contentReply(response);
}

function parseOr(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function contentReply(response) {
  const status = Number(field(response, 'statusCode') ?? field(response, 'status') ?? 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new Error(`no such status: ${status}`);
  const headers = {};
  for (const [name, value] of Object.entries(field(response, 'headers') ?? {})) {
    headers[name.toLowerCase()] = Array.isArray(value) ? value.map(String) : String(value);
  }
  const body = field(response, 'body') ?? '';
  const isText = typeof body === 'string';
  if (body !== '') headers['content-type'] ??= `${isText ? 'text/plain' : 'application/json'}; charset=utf-8`;
  return { status, headers, body: isText ? body : JSON.stringify(body) };
}
