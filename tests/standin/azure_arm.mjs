// The ARM side of the stand-in Azure: which path is which kind of request, and what it answers. Before anything else
// it checks, as ARM does, the api-version, the bearer token, the subscription, the rights, and that the machine exists.
//
//   armRoute(method, path)   { kind, call }: one of the kinds a fault can wait for, or 'other'
//   call(azure, request)     the answer; request.operation is set when it is about a long-running one

import {
  BUSY, checkRunCommand, findCommand, jsonAnswer, NOT_RUNNING, refuse, SUBSCRIPTION,
} from './azure_rules.mjs';
import {
  answerPermissions, checkRights, findMachine, instanceView, readArmPath, showMachine, showScaleSet,
} from './azure_machines.mjs';
import { answerPoll, operationHeaders, startOperation } from './azure_operations.mjs';
import { runStatuses } from './azure_scripts.mjs';
import { checkBearer } from './azure_sign_in.mjs';

export function armRoute(method, pathname) {
  const path = readArmPath(pathname);
  const [kind, call] = (path && findCall(method, path)) ?? ['other', () => refuse(404, 'NotFound', 'The requested resource does not exist.')];
  return { kind, call: (azure, request) => checkRequest(azure, request, path) ?? call(azure, request, path) };
}

function findCall(method, path) {
  const { type, name, rest, isInstances, instanceId } = path;
  const below = Array.isArray(rest) ? rest.join('/').toLowerCase() : rest;
  if (method === 'GET' && below.endsWith('microsoft.authorization/permissions')) return ['permissions', permissions];
  if (type === 'locations' && rest[0]?.toLowerCase() === 'operations') return ['poll', poll];
  if (type !== 'virtualmachines' && type !== 'virtualmachinescalesets') return undefined;
  if (name === undefined || (isInstances && instanceId === undefined)) return ['list', list];
  const isSet = type === 'virtualmachinescalesets' && !isInstances;
  if (below === '') return method === 'GET' ? ['vm', isSet ? getScaleSet : getMachine] : undefined;
  if (isSet) return undefined;
  if (below === 'instanceview') return ['vm', getInstanceView];
  if (below === 'runcommand') return ['runCommand', runCommand];
  return undefined;
}

function checkRequest(azure, request, path) {
  const version = request.query['api-version'];
  if (!version) return refuse(400, 'MissingApiVersionParameter', 'The api-version query parameter (?api-version=) is required for all requests.');
  if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version)) return refuse(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`);
  const refusal = checkBearer(azure, request);
  if (refusal || !path || path.subscription.toLowerCase() === SUBSCRIPTION) return refusal;
  return refuse(404, 'SubscriptionNotFound', `The subscription '${path.subscription}' could not be found.`);
}

// The machine a path means, if the client may do this to it: { machine } or { refusal }.
export function machineFor(azure, path, action) {
  const { machine, refusal } = findMachine(azure, path);
  const kind = path.type === 'virtualmachines' ? 'virtualMachines' : 'virtualMachineScaleSets';
  const full = `${kind}${path.isInstances ? '/virtualMachines' : ''}/${action}`;
  const scope = machine?.id ?? `/subscriptions/${SUBSCRIPTION}/resourceGroups/${path.group}/providers/Microsoft.Compute/${kind}/${path.name}`;
  const denied = checkRights(azure, full, machine, scope);
  return denied || refusal ? { refusal: denied ?? refusal } : { machine };
}

// --- Reading ---

function getMachine(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'read');
  if (refusal) return refusal;
  const expand = (request.query.$expand ?? '').toLowerCase();
  return jsonAnswer(showMachine(machine, { withView: expand.includes('instanceview'), withUserData: expand.includes('userdata') }));
}

function getScaleSet(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'read');
  return refusal ?? jsonAnswer(showScaleSet(machine));
}

function getInstanceView(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'instanceView/read');
  return refusal ?? jsonAnswer(instanceView(machine));
}

// VMs or scale sets of a resource group or of the subscription, instances of a scale set; page by page.
function list(azure, request, path) {
  const { group, type, isInstances } = path;
  const isVms = type === 'virtualmachines';
  const withView = request.query.$expand?.toLowerCase() === 'instanceview' || request.query.statusOnly === 'true';
  if (isInstances) {
    const { machine: set, refusal } = machineFor(azure, { ...path, instanceId: undefined }, 'read');
    return refusal ?? page(azure, request, set.instances.map((one) => showMachine(one, { withView, inList: true })));
  }
  const scope = `/subscriptions/${SUBSCRIPTION}${group === undefined ? '' : `/resourceGroups/${group}`}`;
  const denied = checkRights(azure, `${isVms ? 'virtualMachines' : 'virtualMachineScaleSets'}/read`, undefined, scope);
  if (denied) return denied;
  const all = isVms ? azure.machines.vms : azure.machines.scaleSets;
  const within = all.filter(({ resourceGroup }) => group === undefined || resourceGroup.toLowerCase() === group.toLowerCase());
  return page(azure, request, within.map((one) => (isVms ? showMachine(one, { withView, inList: true }) : showScaleSet(one))));
}

export function page(azure, request, items) {
  const start = Number(request.query.$skipToken ?? 0);
  if (!Number.isInteger(start) || start < 0) return refuse(400, 'InvalidParameter', 'The skip token is invalid.');
  const end = start + azure.pageSize;
  const url = new URL(request.url, azure.url);
  url.searchParams.set('$skipToken', String(end));
  return jsonAnswer({ value: items.slice(start, end), ...(end < items.length ? { nextLink: url.href } : {}) });
}

function permissions(azure, request, path) {
  if (path.name === undefined) return answerPermissions(azure, undefined);
  const { machine, refusal } = findMachine(azure, path);
  return refusal ?? answerPermissions(azure, machine);
}

function poll(azure, request, path) {
  const id = path.rest[1];
  const scope = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/${path.name}/operations/${id}`;
  const denied = checkRights(azure, 'locations/operations/read', undefined, scope);
  if (denied) return denied;
  request.operation = azure.operations.get(id);
  request.spoil?.(request.operation);
  return answerPoll(azure, id, new URL(request.url, azure.url).search);
}

// --- Running a script ---

function runCommand(azure, request, path) {
  if (request.method !== 'POST') return refuse(405, 'MethodNotAllowed', `The http method ${request.method} is not supported.`);
  const { machine, refusal } = machineFor(azure, path, 'runCommand/action');
  const wrong = refusal ?? checkRunCommand(request.json, machine);
  if (wrong) return wrong;
  if (machine.powerState !== 'running') return refuse(...NOT_RUNNING);
  if (machine.isBusy) return refuse(...BUSY);

  const { commandId, parameters } = request.json;
  const lines = request.json.script ?? [findCommand(commandId).script];
  machine.isBusy = true;
  const started = azure.start(machine, { lines, parameters: parameters ?? [], commandId, kind: 'action' });
  const operation = startOperation(azure, {
    location: machine.location, version: request.query['api-version'], minimum_ms: machine.operationMs ?? azure.operationMs,
    work: () => started.ended.then((result) => ({ value: runStatuses(machine, result) })),
  });
  operation.ended.finally(() => { machine.isBusy = false; });
  request.operation = operation;
  return { status: 202, headers: operationHeaders(azure, operation), body: '' };
}
