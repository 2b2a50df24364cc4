// How the stand-in Azure shows its machines, and one page of a list. In a list the name of the resource group stands in
// capitals, as in Compute's own lists.

import { jsonAnswer, refuse } from './azure_rules.mjs';

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

export function showScaleSet({ name, id, type, location, tags, os, created, instances }) {
  return {
    name, id, type, location, tags, sku: { name: 'Standard_B2s', tier: 'Standard', capacity: instances.length },
    properties: {
      provisioningState: 'Succeeded', orchestrationMode: 'Uniform', timeCreated: created,
      virtualMachineProfile: { storageProfile: { osDisk: { osType: os, createOption: 'FromImage' } } },
    },
  };
}

export function instanceView({ name, os, powerState, agent, created: time }) {
  const isReady = powerState === 'running' && agent === 'Ready';
  const agentStatus = isReady ? {
    code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Ready', message: 'Guest Agent is running', time,
  } : {
    code: 'ProvisioningState/Unavailable', level: 'Warning', displayStatus: 'Not Ready',
    message: 'VM status blob is found but not yet populated.', time,
  };
  return {
    computerName: name, osName: os === 'Linux' ? 'debian' : 'Windows Server 2022 Datacenter',
    vmAgent: { vmAgentVersion: isReady ? '2.7.41491.1102' : 'Unknown', statuses: [agentStatus] },
    statuses: [
      { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded', time },
      { code: `PowerState/${powerState}`, level: 'Info', displayStatus: `VM ${powerState}` },
    ],
  };
}

// nextLink is the same address with $skipToken.
export function page(azure, request, items) {
  const start = Number(request.query.$skipToken ?? 0);
  if (!Number.isInteger(start) || start < 0) return refuse(400, 'InvalidParameter', 'The skip token is invalid.');
  const end = start + azure.pageSize;
  const url = new URL(request.url, azure.url);
  url.searchParams.set('$skipToken', String(end));
  return jsonAnswer({ value: items.slice(start, end), ...(end < items.length ? { nextLink: url.href } : {}) });
}
