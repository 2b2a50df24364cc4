// What the stand-in Azure knows: its tenant, its error words, and what the bodies of its requests may hold.
//
// An answer is { status, headers, body }; errors are made by refuse(), in ARM's shape { error: { code, message } }.
// Refuses, as ARM does: bodies with unknown properties or of a wrong type, scripts over 256 KiB, command IDs of the
// other system. Fails: never throws on a client's input.
//
// Sources: azure-rest-api-specs (RunCommandInput, VirtualMachineRunCommand), azure-cli's recorded traffic, error
// bodies that people posted in public. Where a message is known to be Azure's, it is verbatim; the wording of the
// rarer errors (validation of bodies) is ours.

export const TENANT = '11111111-2222-4333-8444-555555555555';
export const SUBSCRIPTION = '00000000-1111-4222-8333-444444444444';
export const RESOURCE_GROUP = 'ops-rg';
export const CLIENT_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const OBJECT_ID = 'ffffffff-0000-4111-8222-333333333333';
export const CLIENT_SECRET = 'stand-in+secret/not=a&real%one';

export const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange'; // of federated tokens

export const LIMITS = { script_bytes: 262144, tail_bytes: 4096, managed: 25, page: 100 };

// Command ID -> the system it is for, and its script; without one the request must bring it.
export const COMMANDS = {
  RunShellScript: { os: 'Linux' },
  RunPowerShellScript: { os: 'Windows' },
  ifconfig: { os: 'Linux', script: 'ifconfig' },
  IPConfig: { os: 'Windows', script: 'ipconfig /all' },
};

// --- Answers ---

export function jsonAnswer(value, status = 200, headers = {}) {
  const type = 'application/json; charset=utf-8';
  return { status, headers: { 'content-type': type, ...headers }, body: JSON.stringify(value) };
}

export function refuse(status, code, message, headers = {}) {
  return jsonAnswer({ error: { code, message } }, status, headers);
}

// name: with its type, as in 'Microsoft.Compute/virtualMachines/web-1'.
export function notFound(name, resourceGroup) {
  const what = `The Resource '${name}' under resource group '${resourceGroup}' was not found.`;
  return refuse(404, 'ResourceNotFound', `${what} For more details please go to https://aka.ms/ARMResourceNotFoundFix`);
}

export function unauthorized(clientId, action, scope) {
  return refuse(403, 'AuthorizationFailed', `The client '${clientId}' with object id '${OBJECT_ID}' does not have `
    + `authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was `
    + 'recently granted, please refresh your credentials.');
}

export const BUSY = [409, 'Conflict',
  'Run command extension execution is in progress. Please wait for completion before invoking a run command.'];
export const NOT_RUNNING = [409, 'OperationNotAllowed',
  'The operation requires the VM to be running (or set to run).'];

// --- Bodies ---

// The body of a runCommand -> undefined when ARM would take it, else its refusal.
export function checkRunCommand(body, machine) {
  const wrong = checkShape(body, 'RunCommandInput', {
    commandId: isString, script: isStrings, parameters: isParameters,
  });
  if (wrong) return wrong;
  if (body.commandId === undefined) return invalid("Required parameter 'commandId' is missing (null).");
  const known = findCommand(body.commandId);
  if (!known) {
    return refuse(404, 'NotFound', `The entity '${body.commandId}' was not found among the run command documents.`);
  }
  if (known.os !== machine.os) {
    return refuse(400, 'OperationNotAllowed',
      `Run command '${body.commandId}' is for ${known.os}; the OS type of VM '${machine.name}' is ${machine.os}.`);
  }
  const script = body.script?.join('\n') ?? known.script;
  if (script === undefined) return invalid("Required parameter 'script' is missing (null).");
  if (Buffer.byteLength(script) > LIMITS.script_bytes) return tooLarge();
  return undefined;
}

// The same for the body of a managed run command.
export function checkManaged(body, machine) {
  const isIdentity = isObject;
  const wrong = checkShape(body, 'VirtualMachineRunCommand', {
    location: isString, tags: isObject, properties: isObject, name: isString, id: isString, type: isString,
  });
  if (wrong) return wrong;
  if (!body.location) return refuse(400, 'LocationRequired', 'The location property is required for this definition.');
  const { source } = body.properties ?? {};
  const inner = checkShape(body.properties ?? {}, 'VirtualMachineRunCommandProperties', {
    source: isObject, parameters: isParameters, protectedParameters: isParameters, asyncExecution: isBoolean,
    runAsUser: isString, runAsPassword: isString, timeoutInSeconds: Number.isInteger, outputBlobUri: isString,
    errorBlobUri: isString, outputBlobManagedIdentity: isIdentity, errorBlobManagedIdentity: isIdentity,
    treatFailureAsDeploymentFailure: isBoolean, provisioningState: isString, instanceView: isObject,
  }) ?? checkShape(source ?? {}, 'VirtualMachineRunCommandScriptSource', {
    script: isString, scriptUri: isString, commandId: isString, scriptUriManagedIdentity: isIdentity,
    scriptShell: isString, galleryScriptReferenceId: isString,
  });
  if (inner) return inner;
  const { script, scriptUri, commandId, galleryScriptReferenceId } = source ?? {};
  const given = [script, scriptUri, commandId, galleryScriptReferenceId].filter((one) => (one ?? null) !== null);
  if (given.length !== 1) return invalid('Exactly one of script, scriptUri, commandId is needed in source.', 'source');
  if (Buffer.byteLength(script ?? '') > LIMITS.script_bytes) return tooLarge();
  if (commandId && findCommand(commandId)?.os !== machine.os) {
    return invalid(`No such run command: ${commandId}.`, 'commandId');
  }
  return undefined;
}

function tooLarge() {
  return invalid(`The script is larger than the maximum of ${LIMITS.script_bytes} bytes.`, 'script');
}

export function findCommand(commandId) {
  const name = Object.keys(COMMANDS).find((known) => known.toLowerCase() === String(commandId).toLowerCase());
  return COMMANDS[name];
}

// rules: property -> whether its value is right. Properties ARM does not know are refused, null is as if absent.
export function checkShape(value, at, rules) {
  if (!isObject(value)) {
    const what = 'The request content was invalid and could not be deserialized';
    return refuse(400, 'InvalidRequestContent', `${what}: '${at}'.`);
  }
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(rules, name)) {
      return refuse(400, 'BadRequest', `Could not find member '${name}' on object of type '${at}'. Path '${name}'.`);
    }
    if (member !== null && !rules[name](member)) return invalid(`The value of parameter ${name} is invalid.`, name);
  }
  return undefined;
}

export function invalid(message, target) {
  return jsonAnswer({ error: { code: 'InvalidParameter', message, target } }, 400);
}

export const isString = (value) => typeof value === 'string';
export const isBoolean = (value) => typeof value === 'boolean';
export const isStrings = (value) => Array.isArray(value) && value.every(isString);
export const isParameters = (value) => Array.isArray(value) && value.every(isParameter);

function isParameter(value) {
  if (!isObject(value) || !isString(value.name) || !isString(value.value)) return false;
  return Object.keys(value).every((key) => key === 'name' || key === 'value');
}

export function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

// --- Roles ---

// Whether a list of actions, in which * stands for anything, holds this one. Case does not matter.
export function allows(actions, wanted) {
  return actions.some((action) => {
    const pattern = action.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${pattern}$`, 'i').test(wanted);
  });
}
