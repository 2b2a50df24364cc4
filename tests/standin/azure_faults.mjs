// The faults of the stand-in Azure, on request: which there are, which requests they can meet, and what they answer.
// The head of azure.mjs says what each does. checkFault() throws on one of unknown kind, or on a kind of request that
// it can't meet.

import { entraError } from './azure_entra.mjs';
import { refuse } from './azure_rules.mjs';
import { operationNotFound } from './azure_operations.mjs';

export const REQUESTS = [
  'token', 'runCommand', 'poll', 'vm', 'list', 'managed-put', 'managed-get', 'managed-delete', 'permissions', 'github',
  'imds',
];
const STARTING = ['runCommand', 'managed-put', 'managed-delete']; // they answer with a long-running operation
const POLLED = [...STARTING, 'poll'];
const ANY = [...REQUESTS, 'other'];

// Kind -> the requests it can meet, and whether it comes in place of Azure's work.
const KINDS = {
  slow: { meets: ANY }, 'reset-in-reply': { meets: ANY }, 'truncated-json': { meets: ANY },
  'no-headers': { meets: STARTING }, 'only-location': { meets: STARTING }, 'only-async': { meets: STARTING },
  'foreign-poll-host': { meets: STARTING },
  'odd-case': { meets: POLLED }, failed: { meets: POLLED }, canceled: { meets: POLLED },
  status: { meets: ANY, replaces: true }, html: { meets: ANY, replaces: true }, hang: { meets: ANY, replaces: true },
  'reset-before-body': { meets: ANY, replaces: true }, 'reset-after-body': { meets: ANY, replaces: true },
  'operation-not-found': { meets: ['poll'], replaces: true },
};

export function checkFault(fault) {
  const { kind, on } = fault;
  if (!Object.hasOwn(KINDS, kind)) throw new Error(`no such fault: ${kind}`);
  if (on !== undefined && !REQUESTS.includes(on)) throw new Error(`no such kind of request: ${on}`);
  if (on !== undefined && !KINDS[kind].meets.includes(on)) throw new Error(`${kind} can't meet ${on}`);
  if (kind === 'status' && !Number.isInteger(fault.status)) throw new Error(`status ${fault.status}`);
  if (kind === 'foreign-poll-host' && !fault.origin) throw new Error('foreign-poll-host without origin');
}

export function takeFault(faults, request) {
  const at = faults.findIndex(({ kind, on }) => (on ?? request) === request && KINDS[kind].meets.includes(request));
  return at < 0 ? undefined : faults.splice(at, 1)[0];
}

export const replaces = (fault) => fault !== undefined && KINDS[fault.kind].replaces === true;

// What comes in place of Azure's answer; undefined: none (hang, resets).
export function answerFault(fault, kind, request) {
  const { status, body, headers } = fault;
  if (fault.kind === 'html') {
    return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><body>Sign in</body></html>' };
  }
  if (fault.kind === 'operation-not-found') return operationNotFound(request.path.split('/').at(-1));
  if (fault.kind !== 'status') return undefined;
  if (body === undefined) return usualAnswer(status, kind, request, headers);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain' : 'application/json; charset=utf-8';
  return { status, headers: { 'content-type': type, ...headers }, body: text };
}

const CODES = {
  401: ['InvalidAuthenticationToken', 'The access token is invalid.'],
  403: ['AuthorizationFailed', 'The client does not have authorization to perform the action.'],
  404: ['NotFound', 'The entity was not found.'], 408: ['RequestTimeout', 'The request timed out.'],
  409: ['Conflict', 'The request failed due to conflict with a concurrent request.'],
  429: ['TooManyRequests', 'The request is being throttled as the limit has been reached for operation type.'],
  500: ['InternalServerError', 'Encountered internal server error.'],
  502: ['BadGateway', 'The gateway did not receive a response.'],
  503: ['ServiceUnavailable', 'The service is temporarily unavailable.'],
  504: ['GatewayTimeout', 'The gateway did not receive a response in time.'],
};

// A status without a body of the fault's own: in Entra's shape, or in ARM's.
function usualAnswer(status, kind, request, headers) {
  const [code, message] = CODES[status] ?? ['Error', `Status ${status}.`];
  if (kind !== 'token') return refuse(status, code, message, headers);
  const answer = entraError(request, 90033, '', status);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

// What a fault does to the operation that a request started or polls, before it is answered. It may end one that has
// ended already.
export function spoilOperation(fault, operation) {
  if (!operation) return;
  if (fault.kind === 'odd-case') operation.oddCase = true;
  const usual = USUAL_ENDS[fault.kind];
  if (!usual) return;
  const { status, code, message } = { ...usual, ...fault };
  Object.assign(operation, { status, output: undefined, error: { code, message }, endTime: new Date().toISOString() });
}

const USUAL_ENDS = {
  failed: {
    status: 'Failed', code: 'VMExtensionProvisioningError',
    message: "VM has reported a failure when processing extension 'RunCommandLinux'.",
  },
  canceled: { status: 'Canceled', code: 'OperationCanceled', message: 'The operation was canceled.' },
};

// What it does to the headers of a 202.
export function spoilHeaders(fault, answer) {
  const { location, 'azure-asyncoperation': asynchronous, ...rest } = answer.headers;
  if (!location && !asynchronous) return answer;
  const away = (url) => url && fault.origin + url.slice(new URL(url).origin.length);
  const kept = {
    'no-headers': {}, 'only-location': { location }, 'only-async': { 'azure-asyncoperation': asynchronous },
    'foreign-poll-host': { location: away(location), 'azure-asyncoperation': away(asynchronous) },
  }[fault.kind];
  if (!kept) return answer;
  const given = Object.entries(kept).filter(([, url]) => url !== undefined); // a PUT has no Location to begin with
  return { ...answer, headers: { ...rest, ...Object.fromEntries(given) } };
}
