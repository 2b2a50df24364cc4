// The machines of the stand-in Azure: VMs and the instances of scale sets, as ARM shows them, and who may do what.
//
// A machine: { name, scaleSet, instanceId, id, type, resourceGroup, os, location, tags, powerState, roles, run,
// operationMs, userData, isBusy, commands }. Names are found whatever their case; a list writes the resource group's
// name in capitals, as Compute's lists do.
// Fails: throws on an option it does not know.

import { randomUUID } from 'node:crypto';
import { allows, CLIENT_ID, jsonAnswer, notFound, refuse, RESOURCE_GROUP, SUBSCRIPTION, unauthorized } from './azure_rules.mjs';

const COMPUTE = 'Microsoft.Compute';
const ENTRY_KEYS = [
  'name', 'os', 'location', 'tags', 'powerState', 'resourceGroup', 'run', 'operationMs', 'roles', 'userData', 'agent', 'instances',
];
const POWER_WORDS = { running: 'running', stopped: 'stopped', deallocated: 'deallocated', starting: 'starting', stopping: 'stopping' };

// vms: names or entries, or how many; scaleSets: entries with instances, a list of IDs or how many.
export function newMachines(vms = ['linux-1', { name: 'windows-1', os: 'Windows' }], scaleSets = []) {
  const entries = typeof vms === 'number'
    ? Array.from({ length: vms }, (_, i) => `vm-${String(i).padStart(3, '0')}`) : vms;
  const machines = entries.map((entry) => newMachine(entry, undefined, undefined));
  const sets = scaleSets.map((entry) => {
    const set = newMachine(entry, undefined, undefined);
    set.type = `${COMPUTE}/virtualMachineScaleSets`;
    set.id = set.id.replace('virtualMachines', 'virtualMachineScaleSets');
    const ids = typeof entry.instances === 'number' ? [...Array(entry.instances).keys()] : entry.instances ?? [0, 1];
    set.instances = ids.map((id) => newMachine(entry, set, String(id)));
    return set;
  });
  return { vms: machines, scaleSets: sets };
}

function newMachine(entry, scaleSet, instanceId) {
  const given = typeof entry === 'string' ? { name: entry } : entry;
  const odd = Object.keys(given).find((key) => !ENTRY_KEYS.includes(key));
  if (odd) throw new Error(`no such property of a VM: ${odd}`);
  const machine = { os: 'Linux', location: 'westeurope', tags: {}, powerState: 'running', agent: 'Ready', resourceGroup: RESOURCE_GROUP, ...given };
  if (!['Linux', 'Windows'].includes(machine.os)) throw new Error(`no such os: ${machine.os}`);
  if (!Object.hasOwn(POWER_WORDS, machine.powerState)) throw new Error(`no such powerState: ${machine.powerState}`);
  const parent = scaleSet?.id ?? `/subscriptions/${SUBSCRIPTION}/resourceGroups/${machine.resourceGroup}/providers/${COMPUTE}`;
  if (scaleSet) machine.name = `${given.name}_${instanceId}`;
  return Object.assign(machine, {
    scaleSet, instanceId, vmId: randomUUID(), created: new Date().toISOString(), isBusy: false, commands: new Map(),
    id: `${parent}/virtualMachines/${instanceId ?? machine.name}`,
    type: scaleSet ? `${COMPUTE}/virtualMachineScaleSets/virtualMachines` : `${COMPUTE}/virtualMachines`,
  });
}

// --- Paths ---

const ARM_PATH = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?\/providers\/(.+)$/i;

// A path below a subscription -> { subscription, group, set, vm, rest } with names decoded, or undefined when it is
// none. rest: what stands behind the VM's or the set's name; type: 'virtualMachines' etc., in lower case.
export function readArmPath(path) {
  const [, subscription, group, below] = ARM_PATH.exec(path) ?? [];
  if (!below) return undefined;
  const parts = below.split('/').map(decode);
  if (parts[0].toLowerCase() !== COMPUTE.toLowerCase()) return { subscription, group, rest: parts.join('/').toLowerCase() };
  const type = parts[1]?.toLowerCase();
  const read = { subscription: decode(subscription), group: group && decode(group), type, name: parts[2], rest: parts.slice(3) };
  if (type === 'virtualmachinescalesets' && read.rest[0]?.toLowerCase() === 'virtualmachines') {
    return { ...read, isInstances: true, instanceId: read.rest[1], rest: read.rest.slice(2) };
  }
  return read;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const same = (a, b) => a?.toLowerCase() === b?.toLowerCase();

// The machine or scale set a path means: { machine } or { refusal }.
export function findMachine(azure, path) {
  const { group, type, name, instanceId } = path;
  const { vms, scaleSets } = azure.machines;
  const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/${COMPUTE}/${type === 'virtualmachines' ? 'virtualMachines' : 'virtualMachineScaleSets'}/${name}`;
  const known = [...vms, ...scaleSets].some(({ resourceGroup }) => same(resourceGroup, group));
  if (!known && !same(group, RESOURCE_GROUP)) return { refusal: refuse(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`) };
  const found = (type === 'virtualmachines' ? vms : scaleSets).find((one) => same(one.name, name) && same(one.resourceGroup, group));
  if (!found) return { refusal: missing(id, group) };
  if (instanceId === undefined) return { machine: found };
  const machine = found.instances.find((one) => one.instanceId === instanceId);
  return machine ? { machine } : { refusal: refuse(404, 'NotFound', `The entity was not found in this Azure location: instance ${instanceId} of ${name}.`) };
}

// In ARM's words, which name type and resource: 'Microsoft.Compute/virtualMachines/web-1'.
function missing(id, group) {
  return notFound(id, group);
}

// --- Rights ---

// undefined when the roles hold the action over the machine (undefined: over the resource group), else ARM's refusal.
export function checkRights(azure, action, machine, scope = machine?.id) {
  const own = machine ? machine.roles ?? azure.roles.vm : [];
  if (allows([...azure.roles.resourceGroup, ...own], `${COMPUTE}/${action}`)) return undefined;
  return unauthorized(CLIENT_ID, `${COMPUTE}/${action}`, scope);
}

// What GET …/providers/Microsoft.Authorization/permissions tells.
export function answerPermissions(azure, machine) {
  const actions = [azure.roles.resourceGroup, ...(machine ? [machine.roles ?? azure.roles.vm] : [])];
  const value = actions.filter((list) => list.length > 0).map((list) => ({ actions: list, notActions: [], dataActions: [], notDataActions: [] }));
  return jsonAnswer({ value });
}

// --- As ARM shows them ---

export function showMachine(machine, { withView = false, withUserData = false, inList = false } = {}) {
  const { name, instanceId, type, location, tags, os, vmId, created, userData } = machine;
  const id = inList ? machine.id.replace(/(?<=resourceGroups\/)[^/]+/, (group) => group.toUpperCase()) : machine.id;
  const osProfile = { computerName: name, adminUsername: 'azureuser' };
  osProfile[os === 'Linux' ? 'linuxConfiguration' : 'windowsConfiguration'] = { provisionVMAgent: true };
  const properties = {
    vmId, provisioningState: 'Succeeded', hardwareProfile: { vmSize: 'Standard_B2s' },
    storageProfile: { osDisk: { osType: os, name: `${name}_OsDisk_1`, createOption: 'FromImage' }, dataDisks: [] },
    osProfile, timeCreated: created,
  };
  if (withView) properties.instanceView = instanceView(machine);
  if (withUserData && userData !== undefined) properties.userData = Buffer.from(userData).toString('base64');
  return { name, id, type, location, tags, ...(instanceId === undefined ? {} : { instanceId }), properties };
}

export function showScaleSet(set) {
  const { name, id, type, location, tags, os, created, instances } = set;
  return {
    name, id, type, location, tags, sku: { name: 'Standard_B2s', tier: 'Standard', capacity: instances.length },
    properties: {
      provisioningState: 'Succeeded', orchestrationMode: 'Uniform', timeCreated: created,
      virtualMachineProfile: { storageProfile: { osDisk: { osType: os, createOption: 'FromImage' } } },
    },
  };
}

export function instanceView({ name, os, powerState, agent, created }) {
  const time = created;
  const isUp = powerState === 'running';
  const ready = { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: agent, message: 'Guest Agent is running', time };
  const absent = { code: 'ProvisioningState/Unavailable', level: 'Warning', displayStatus: 'Not Ready', message: 'VM status blob is found but not yet populated.', time };
  const view = {
    computerName: name, osName: os === 'Linux' ? 'debian' : 'Windows Server 2022 Datacenter',
    vmAgent: { vmAgentVersion: isUp ? '2.7.41491.1102' : 'Unknown', statuses: [isUp && agent === 'Ready' ? ready : absent] },
    statuses: [
      { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded', time },
      { code: `PowerState/${powerState}`, level: 'Info', displayStatus: `VM ${POWER_WORDS[powerState]}` },
    ],
  };
  return view;
}
