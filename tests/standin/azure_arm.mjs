// The ARM side of the stand-in Azure: which path is which kind of request, and what it answers. Before anything else
// it checks, as ARM does, the api-version, the bearer token, the subscription, the rights, and that the machine exists.
//
//   const { kind, call } = armRoute(method, pathname)   kind: one that a fault can wait for, or 'other'
//   call(azure, request)     the answer; request.operation is set when it starts a long-running one

import { answerPermissions, checkRights, findMachine, machineFor, readArmPath } from './azure_machines.mjs';
import { listManaged, MANAGED } from './azure_managed.mjs';
import { answerPoll, operationHeaders, startOperation } from './azure_operations.mjs';
import { BUSY, checkRunCommand, findCommand, jsonAnswer, NOT_RUNNING, refuse, SUBSCRIPTION } from './azure_rules.mjs';
import { runStatuses } from './azure_scripts.mjs';
import { instanceView, page, showMachine, showScaleSet } from './azure_show.mjs';
import { checkBearer } from './azure_sign_in.mjs';

const NOWHERE = ['other', () => refuse(404, 'NotFound', 'The requested resource does not exist.')];

export function armRoute(method, pathname) {
  const path = readArmPath(pathname);
  const [kind, call] = (path && findCall(method, path)) ?? NOWHERE;
  return { kind, call: (azure, request) => checkRequest(azure, request, path) ?? call(azure, request, path) };
}

function findCall(method, path) {
  const { provider, type, name, rest, isInstances, instanceId } = path;
  const below = rest.join('/').toLowerCase();
  if (provider === 'microsoft.authorization' && type === 'permissions' && method === 'GET') return PERMISSIONS;
  if (provider !== 'microsoft.compute') return undefined;
  if (type === 'locations') return below.startsWith('operations/') && method === 'GET' ? ['poll', poll] : undefined;
  if (type !== 'virtualmachines' && type !== 'virtualmachinescalesets') return undefined;

  const isSet = type === 'virtualmachinescalesets' && !isInstances;
  if (below === 'runcommand' && !isSet) return method === 'POST' ? ['runCommand', runCommand] : undefined;
  if (below.startsWith('runcommands/') && rest.length === 2 && !isSet) return MANAGED[method];
  if (method !== 'GET') return undefined;
  if (name === undefined || (isInstances && instanceId === undefined)) return ['list', list];
  if (below === '') return ['vm', isSet ? getScaleSet : getMachine];
  if (below === 'instanceview' && !isSet) return ['vm', getInstanceView];
  if (below === 'runcommands' && !isSet) return ['list', listManaged];
  return below === 'providers/microsoft.authorization/permissions' ? PERMISSIONS : undefined;
}

function checkRequest(azure, request, path) {
  const version = request.query['api-version'];
  if (!version) {
    return refuse(400, 'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.');
  }
  if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version)) {
    return refuse(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`);
  }
  const refusal = checkBearer(azure, request);
  if (refusal || !path || path.subscription.toLowerCase() === SUBSCRIPTION) return refusal;
  return refuse(404, 'SubscriptionNotFound', `The subscription '${path.subscription}' could not be found.`);
}

// --- Reading ---

function getMachine(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'read');
  if (refusal) return refusal;
  const expand = (request.query.$expand ?? '').toLowerCase();
  const [withView, withUserData] = ['instanceview', 'userdata'].map((word) => expand.includes(word));
  return jsonAnswer(showMachine(machine, { withView, withUserData }));
}

function getScaleSet(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'read');
  return refusal ?? jsonAnswer(showScaleSet(machine));
}

function getInstanceView(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'instanceView/read');
  return refusal ?? jsonAnswer(instanceView(machine));
}

// VMs or scale sets of a resource group or of the subscription, or the instances of a scale set.
function list(azure, request, path) {
  const withView = request.query.$expand?.toLowerCase() === 'instanceview' || request.query.statusOnly === 'true';
  const show = (machine) => showMachine(machine, { withView, inList: true });
  if (path.isInstances) {
    const { machine: set, refusal } = machineFor(azure, path, 'read');
    return refusal ?? page(azure, request, set.instances.map(show));
  }
  const isVms = path.type === 'virtualmachines';
  const group = path.group === undefined ? '' : `/resourceGroups/${path.group}`;
  const action = isVms ? 'virtualMachines/read' : 'virtualMachineScaleSets/read';
  const denied = checkRights(azure, action, undefined, `/subscriptions/${SUBSCRIPTION}${group}`);
  if (denied) return denied;
  const all = isVms ? azure.machines.vms : azure.machines.scaleSets;
  const wanted = path.group?.toLowerCase();
  const within = all.filter(({ resourceGroup }) => wanted === undefined || resourceGroup.toLowerCase() === wanted);
  return page(azure, request, within.map(isVms ? show : showScaleSet));
}

const PERMISSIONS = ['permissions', (azure, request, path) => {
  if (path.provider === 'microsoft.authorization') return answerPermissions(azure, undefined);
  const { machine, refusal } = findMachine(azure, path);
  return refusal ?? answerPermissions(azure, machine);
}];

function poll(azure, request, path) {
  const id = path.rest[1];
  const scope = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/${path.name}/operations/${id}`;
  const denied = checkRights(azure, 'locations/operations/read', undefined, scope);
  return denied ?? answerPoll(azure, id, new URL(request.url, azure.url).search);
}

// --- Running a script ---

function runCommand(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'runCommand/action');
  const wrong = refusal ?? checkRunCommand(request.json, machine);
  if (wrong) return wrong;
  if (machine.powerState !== 'running') return refuse(...NOT_RUNNING);
  if (machine.isBusy) return refuse(...BUSY);

  const { commandId, parameters, script } = request.json;
  const lines = script ?? [findCommand(commandId).script];
  machine.isBusy = true;
  const started = azure.start(machine, { lines, parameters: parameters ?? [], commandId, kind: 'action' });
  const operation = startOperation(azure, request, machine, async () => {
    return { value: runStatuses(machine, await started.ended) };
  });
  operation.ended.finally(() => { machine.isBusy = false; });
  return { status: 202, headers: operationHeaders(azure, operation), body: '' };
}
