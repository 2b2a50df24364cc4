// The peer of azure-run.mjs: the official client runs a script on the named machines, all at once. Prints how many
// succeeded, as JSON.
//
//   node azure_client.mjs ADDRESSES NAMES      as a stand-in printed them, in JSON; NODE_EXTRA_CA_CERTS names its CA

import { ComputeManagementClient } from '@azure/arm-compute';
import { ClientSecretCredential } from '@azure/identity';

const azure = JSON.parse(process.argv[2]);
const names = process.argv[3].split(',');
const credential = new ClientSecretCredential(azure.tenant, azure.clientId, azure.clientSecret,
  { authorityHost: azure.authorityUrl, disableInstanceDiscovery: true });
const compute = new ComputeManagementClient(credential, azure.subscription,
  { endpoint: azure.armUrl, credentials: { scopes: [`${azure.armUrl}/.default`] } });
const results = await Promise.all(names.map((name) => compute.virtualMachines.runCommand(
  azure.resourceGroup, name, { commandId: 'RunShellScript', script: ['echo done'] },
)));
console.log(results.filter(({ value }) => value[0].message.includes('done')).length);
