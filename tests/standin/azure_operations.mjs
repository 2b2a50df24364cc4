// The long-running operations of the stand-in Azure: what a 202 points to.
//
//   const operation = startOperation(azure, request, machine, work);   request.operation is set to it, too
//   operationHeaders(azure, operation)   Azure-AsyncOperation and Location for the 202
//   answerPoll(azure, id, search)        the answer to a GET of either
//
// work() is a promise of the output; when it rejects with { code, message } the operation ends as Failed. It ends when
// the work has and operationMs have passed; cancel() ends it at once. Azure-AsyncOperation tells { startTime, endTime,
// status, properties: { output }, error, name }; Location is the same URL with monitor=true: 202 without a body until
// the end, then the output alone, or the error.
//
// With longUrls both carry p, t, c, s and h of about 6 KB; whoever does not follow them verbatim is told that there is
// no such operation.

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jsonAnswer, refuse, SUBSCRIPTION } from './azure_rules.mjs';

const LONG_BYTES = 4200; // in base64url about 5.6 KB

export function startOperation(azure, request, machine, work) {
  const id = randomUUID();
  const minimum_ms = machine.operationMs ?? azure.operationMs;
  const operation = {
    id, status: 'InProgress', startTime: new Date().toISOString(), endTime: undefined, output: undefined,
    error: undefined, location: machine.location, query: operationQuery(azure, request.query['api-version']),
    oddCase: false,
  };
  azure.operations.set(id, operation);
  const least = minimum_ms > 0 ? delay(minimum_ms, undefined, { signal: azure.stop.signal }) : undefined;
  operation.ended = Promise.all([work(), least]).then(
    ([output]) => end(operation, 'Succeeded', output),
    (error) => {
      if (error.code === 'ABORT_ERR') return;
      const { code = 'VMExtensionProvisioningError', message } = error;
      end(operation, 'Failed', undefined, { code, message });
    },
  );
  request.operation = operation;
  return operation;
}

export function cancel(operation, code, message) {
  end(operation, 'Canceled', undefined, { code, message });
}

// The first end counts: a fault or a DELETE may have brought it already.
function end(operation, status, output, error) {
  if (operation.status !== 'InProgress') return;
  Object.assign(operation, { status, output, error, endTime: new Date().toISOString() });
}

function operationQuery(azure, version) {
  const query = new URLSearchParams();
  query.set('p', randomUUID());
  query.set('api-version', version);
  if (azure.longUrls) {
    query.set('t', String(Date.now() * 10000));
    query.set('c', randomBytes(LONG_BYTES).toString('base64url'));
    query.set('s', randomBytes(256).toString('base64url'));
    query.set('h', randomBytes(32).toString('base64url'));
  }
  return query.toString();
}

export function operationHeaders(azure, operation) {
  const { id, location, query } = operation;
  const path = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/${location}/operations/${id}`;
  const url = `${azure.url}${path}?${query}`;
  return { 'azure-asyncoperation': url, location: `${url}&monitor=true`, ...retryAfter(azure) };
}

function retryAfter(azure) {
  return azure.retryAfter === undefined ? {} : { 'retry-after': String(azure.retryAfter) };
}

// --- Polling ---

export function answerPoll(azure, id, search) {
  const operation = azure.operations.get(id);
  const query = new URLSearchParams(search);
  const isMonitor = query.get('monitor') === 'true';
  query.delete('monitor');
  if (!operation || query.toString() !== operation.query) return operationNotFound(id);
  return isMonitor ? answerMonitor(azure, operation) : answerStatus(azure, operation);
}

export function operationNotFound(id) {
  return refuse(404, 'NotFound', `The operation '${id}' was not found.`);
}

function answerStatus(azure, operation) {
  const { startTime, endTime, error, id: name } = operation;
  const isBare = azure.resultShape === 'array' && Array.isArray(operation.output?.value);
  const output = isBare ? operation.output.value : operation.output;
  const status = operation.oddCase ? oddCase(operation.status) : operation.status;
  const properties = output === undefined ? undefined : { output };
  const headers = endTime === undefined ? retryAfter(azure) : {};
  return jsonAnswer({ startTime, endTime, status, properties, error, name }, 200, headers);
}

function answerMonitor(azure, operation) {
  const { status, output, error } = operation;
  if (status === 'InProgress') return { status: 202, headers: operationHeaders(azure, operation), body: '' };
  if (status === 'Succeeded') return output === undefined ? { status: 200, headers: {}, body: '' } : jsonAnswer(output);
  return refuse(409, error.code, error.message);
}

// Succeeded -> SUCCEEDED, InProgress -> inprogress
export function oddCase(status) {
  return status === 'InProgress' ? 'inprogress' : status.toUpperCase();
}
