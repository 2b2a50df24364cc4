// The machines of the stand-in Azure: VMs, scale sets and their instances, how a path finds them, and who may do what.
//
// A machine: { name, scaleSet, instanceId, id, type, resourceGroup, os, location, tags, powerState, agent, roles, run,
// operationMs, userData, isBusy, commands }. Names are found whatever their case.
// Fails: newMachines() throws on a property that it does not know.

import { randomUUID } from 'node:crypto';
import {
  allows, CLIENT_ID, jsonAnswer, notFound, refuse, RESOURCE_GROUP, SUBSCRIPTION, unauthorized,
} from './azure_rules.mjs';

const COMPUTE = 'Microsoft.Compute';
const ENTRY_KEYS = [
  'name', 'os', 'location', 'tags', 'powerState', 'resourceGroup', 'run', 'operationMs', 'roles', 'userData', 'agent',
  'instances',
];
const USUAL = {
  os: 'Linux', location: 'westeurope', tags: {}, powerState: 'running', agent: 'Ready', resourceGroup: RESOURCE_GROUP,
};
const POWER_STATES = ['running', 'stopped', 'deallocated', 'starting', 'stopping'];

// vms: names or entries, or how many; scaleSets: entries with instances, a list of IDs or how many.
export function newMachines(vms = ['linux-1', { name: 'windows-1', os: 'Windows' }], scaleSets = []) {
  const numbered = (_, i) => `vm-${String(i).padStart(3, '0')}`;
  const entries = typeof vms === 'number' ? Array.from({ length: vms }, numbered) : vms;
  return { vms: entries.map((entry) => newMachine('virtualMachines', entry)), scaleSets: scaleSets.map(newScaleSet) };
}

function newScaleSet({ instances = 2, ...entry }) {
  const set = newMachine('virtualMachineScaleSets', entry);
  const ids = typeof instances === 'number' ? [...Array(instances).keys()] : instances;
  set.instances = ids.map((id) => newInstance(set, String(id)));
  return set;
}

function newInstance(set, instanceId) {
  return {
    ...set, name: `${set.name}_${instanceId}`, id: `${set.id}/virtualMachines/${instanceId}`, scaleSet: set, instanceId,
    type: `${set.type}/virtualMachines`, vmId: randomUUID(), commands: new Map(),
  };
}

function newMachine(type, entry) {
  const given = typeof entry === 'string' ? { name: entry } : entry;
  const odd = Object.keys(given).find((key) => !ENTRY_KEYS.includes(key));
  if (odd) throw new Error(`no such property of a VM: ${odd}`);
  const machine = { ...USUAL, ...given };
  if (!['Linux', 'Windows'].includes(machine.os)) throw new Error(`no such os: ${machine.os}`);
  if (!POWER_STATES.includes(machine.powerState)) throw new Error(`no such powerState: ${machine.powerState}`);
  return {
    ...machine, id: idOf(machine.resourceGroup, type, machine.name), type: `${COMPUTE}/${type}`, vmId: randomUUID(),
    created: new Date().toISOString(), isBusy: false, commands: new Map(),
  };
}

function idOf(group, type, name) {
  return `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/${COMPUTE}/${type}/${name}`;
}

// --- Paths ---

const ARM_PATH = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?\/providers\/(.+)$/i;

// A path below a subscription, or undefined when it is none: { subscription, group, provider, type, name, instanceId,
// isInstances, rest }. provider and type are in lower case, names as they came; rest: the parts behind the names.
export function readArmPath(pathname) {
  const [, subscription, group, below] = ARM_PATH.exec(pathname) ?? [];
  if (!below) return undefined;
  const [provider, type, name, ...rest] = below.split('/').map(decode);
  const path = {
    subscription: decode(subscription), group: group && decode(group), provider: provider.toLowerCase(),
    type: type?.toLowerCase(), name, rest,
  };
  if (path.type !== 'virtualmachinescalesets' || !same(rest[0], 'virtualMachines')) return path;
  return { ...path, isInstances: true, instanceId: rest[1], rest: rest.slice(2) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function same(a, b) {
  return a?.toLowerCase() === b?.toLowerCase();
}

const typeOf = ({ type }) => (type === 'virtualmachines' ? 'virtualMachines' : 'virtualMachineScaleSets');

// The machine or scale set a path means: { machine } or { refusal }.
export function findMachine(azure, path) {
  const { group, name, instanceId } = path;
  const { vms, scaleSets } = azure.machines;
  const groups = [RESOURCE_GROUP, ...[...vms, ...scaleSets].map(({ resourceGroup }) => resourceGroup)];
  if (!groups.some((one) => same(one, group))) {
    return { refusal: refuse(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`) };
  }
  const all = path.type === 'virtualmachines' ? vms : scaleSets;
  const found = all.find((one) => same(one.name, name) && same(one.resourceGroup, group));
  if (!found) return { refusal: notFound(`${COMPUTE}/${typeOf(path)}/${name}`, group) };
  if (instanceId === undefined) return { machine: found };
  const machine = found.instances.find((one) => one.instanceId === instanceId);
  if (machine) return { machine };
  return { refusal: notFound(`${COMPUTE}/${typeOf(path)}/${name}/virtualMachines/${instanceId}`, group) };
}

// --- Rights ---

// The machine a path means, if the client may do this to it: { machine } or { refusal }. Who may not is not told
// whether there is such a machine.
export function machineFor(azure, path, action) {
  const { machine, refusal } = findMachine(azure, path);
  const below = path.isInstances ? 'virtualMachines/' : '';
  const scope = machine?.id ?? idOf(path.group, typeOf(path), path.name);
  const denied = checkRights(azure, `${typeOf(path)}/${below}${action}`, machine, scope);
  return denied || refusal ? { refusal: denied ?? refusal } : { machine };
}

// undefined when the roles hold the action over the machine (undefined: over the resource group), else ARM's refusal.
export function checkRights(azure, action, machine, scope) {
  const held = [...azure.roles.resourceGroup, ...rolesOf(azure, machine)];
  return allows(held, `${COMPUTE}/${action}`) ? undefined : unauthorized(CLIENT_ID, `${COMPUTE}/${action}`, scope);
}

function rolesOf(azure, machine) {
  return machine ? machine.roles ?? azure.roles.vm : [];
}

// What GET …/providers/Microsoft.Authorization/permissions tells: one entry for each role.
export function answerPermissions(azure, machine) {
  const lists = [azure.roles.resourceGroup, rolesOf(azure, machine)].filter((actions) => actions.length > 0);
  const value = lists.map((actions) => ({ actions, notActions: [], dataActions: [], notDataActions: [] }));
  return jsonAnswer({ value });
}
