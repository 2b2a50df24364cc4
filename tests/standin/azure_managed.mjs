// Managed run commands of the stand-in Azure: resources under a machine, each with a script that runs once.
//
// PUT starts the script and answers 201 (200 if the name was there) with Azure-AsyncOperation; that operation ends with
// the script, or with its start under asyncExecution. The same content again runs nothing. GET ?$expand=instanceView
// tells executionState and the last 4 KiB of both streams, renewed every updateMs and at the end. DELETE ends a running
// script, and the operation of its PUT as Canceled; 204 when there is nothing to delete.
//
// A script that fails is Failed in the instance view only, unless treatFailureAsDeploymentFailure is set: then the
// operation fails too. timeoutInSeconds ends it as TimedOut; runAsUser and runAsPassword are recorded in runs and
// change nothing. protectedParameters and runAsPassword are never shown.
// Not built: scriptUri and gallery scripts (they fail as a download would), output to blobs, PATCH.

import { machineFor } from './azure_machines.mjs';
import { cancel, operationHeaders, startOperation } from './azure_operations.mjs';
import { checkManaged, findCommand, jsonAnswer, LIMITS, notFound, refuse } from './azure_rules.mjs';
import { page } from './azure_show.mjs';

export const MANAGED = { GET: ['managed-get', get], PUT: ['managed-put', put], DELETE: ['managed-delete', remove] };

export function listManaged(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'runCommands/read');
  if (refusal) return refusal;
  const withView = request.query.$expand?.toLowerCase() === 'instanceview';
  return page(azure, request, [...machine.commands.values()].map((command) => show(command, withView)));
}

function get(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'runCommands/read');
  if (refusal) return refusal;
  const name = path.rest[1];
  const command = machine.commands.get(name.toLowerCase());
  if (!command) return notFound(`${machine.type}/runCommands/${nameUnder(machine)}/${name}`, machine.resourceGroup);
  return jsonAnswer(show(command, request.query.$expand?.toLowerCase() === 'instanceview'));
}

const nameUnder = ({ scaleSet, instanceId, name }) => (scaleSet ? `${scaleSet.name}/${instanceId}` : name);

function put(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'runCommands/write');
  const wrong = refusal ?? checkManaged(request.json, machine);
  if (wrong) return wrong;
  if (machine.powerState !== 'running') {
    return refuse(409, 'OperationNotAllowed', 'Cannot modify extensions in the VM when the VM is not running.');
  }
  const name = path.rest[1];
  const before = machine.commands.get(name.toLowerCase());
  const count = machine.commands.size;
  if (!before && count >= LIMITS.managed) {
    return refuse(409, 'OperationNotAllowed', `The maximum number of managed Run commands (max=${LIMITS.managed}, `
      + `current=${count}) has been exceeded. Use fewer Run commands and retry the request.`);
  }
  const content = JSON.stringify(request.json);
  const isSame = before?.content === content && before.provisioningState !== 'Deleting';
  if (isSame) return jsonAnswer(show(before, false));
  if (before) stop(before);
  const command = newCommand(machine, name, request.json, content);
  machine.commands.set(name.toLowerCase(), command);
  startCommand(azure, request, command);
  const { location, ...headers } = operationHeaders(azure, command.operation);
  return jsonAnswer(show(command, false), before ? 200 : 201, headers);
}

function newCommand(machine, name, { location, tags, properties = {} }, content) {
  return {
    machine, name, content, location, tags, properties, provisioningState: 'Creating', script: undefined,
    operation: undefined, view: {
      executionState: 'Running', executionMessage: 'Execution in progress', exitCode: 0, output: '', error: '',
      startTime: now(),
    },
  };
}

function startCommand(azure, request, command) {
  const { machine, properties } = command;
  const ended = runScript(azure, command);
  command.operation = startOperation(azure, request, machine, async () => {
    if (!properties.asyncExecution) await ended;
    return deployment(command);
  });
  command.operation.ended.then(() => {
    if (command.provisioningState !== 'Deleting') command.provisioningState = command.operation.status;
  });
}

// Resolves when the instance view tells the script's end.
async function runScript(azure, command) {
  const { source, parameters, protectedParameters, ...rest } = command.properties;
  const { asyncExecution, timeoutInSeconds, runAsUser, runAsPassword } = rest;
  const text = source.script ?? findCommand(source.commandId)?.script;
  if (text === undefined) return finish(command, 'Failed', 'Execution failed: File downloads failed.', -1);
  command.script = azure.start(command.machine, {
    lines: [text], parameters: [...parameters ?? [], ...protectedParameters ?? []], commandId: source.commandId,
    kind: 'managed', also: { name: command.name, runAsUser, runAsPassword, asyncExecution, timeoutInSeconds },
  });
  const ticks = setInterval(() => renew(command), azure.updateMs);
  const limit = timeoutInSeconds > 0 ? setTimeout(() => timeOut(command), timeoutInSeconds * 1000) : undefined;
  try {
    endCommand(command, await command.script.ended);
  } catch (error) {
    finish(command, 'Failed', `Execution failed: ${error.message}`, -1);
  } finally {
    clearInterval(ticks);
    clearTimeout(limit);
  }
  return undefined;
}

function timeOut(command) {
  const seconds = command.properties.timeoutInSeconds;
  finish(command, 'TimedOut', `Execution failed: the script ran for more than ${seconds} seconds.`, -1);
  command.script.kill();
}

// The output of the deployment; rejects when the script's failure is to be the deployment's.
function deployment(command) {
  const { executionState, executionMessage } = command.view;
  const hasFailed = executionState === 'Failed' || executionState === 'TimedOut';
  if (!hasFailed || !command.properties.treatFailureAsDeploymentFailure) return undefined;
  throw Object.assign(new Error(
    `VM has reported a failure when processing extension '${command.name}'. Error message: '${executionMessage}'.`,
  ), { code: 'VMExtensionProvisioningError' });
}

function endCommand(command, { stdout, stderr, exitCode }) {
  Object.assign(command.view, { output: stdout, error: stderr });
  if (exitCode === 0) finish(command, 'Succeeded', 'Execution completed', 0);
  else finish(command, 'Failed', `Execution failed: command terminated with exit status=${exitCode}`, exitCode);
}

// The first end counts: a script that is ended for its time is TimedOut, whatever its exit code then is.
function finish({ view }, executionState, executionMessage, exitCode) {
  if (view.executionState !== 'Running') return;
  Object.assign(view, { executionState, executionMessage, exitCode, endTime: now() });
}

function renew({ view, script }) {
  if (view.executionState !== 'Running') return;
  const { stdout, stderr } = script.tails();
  Object.assign(view, { output: stdout, error: stderr });
}

function remove(azure, request, path) {
  const { machine, refusal } = machineFor(azure, path, 'runCommands/delete');
  if (refusal) return refusal;
  const key = path.rest[1].toLowerCase();
  const command = machine.commands.get(key);
  if (!command) return { status: 204, headers: {}, body: '' };
  stop(command);
  command.provisioningState = 'Deleting';
  const operation = startOperation(azure, request, machine, async () => {
    await command.script?.ended.catch(() => {});
  });
  operation.ended.then(() => {
    if (machine.commands.get(key) === command) machine.commands.delete(key);
  });
  return { status: 202, headers: operationHeaders(azure, operation), body: '' };
}

// Ends the script and the operation of the PUT, if they still run.
function stop(command) {
  finish(command, 'Canceled', 'Execution was canceled.', -1);
  cancel(command.operation, 'OperationPreempted', 'Operation execution has been preempted by a more recent operation.');
  command.script?.kill();
}

function show({ machine, name, location, tags, properties, provisioningState, view }, withView) {
  const { protectedParameters, runAsPassword, ...shown } = properties;
  const usual = { asyncExecution: false, timeoutInSeconds: 0, treatFailureAsDeploymentFailure: false };
  return {
    name, id: `${machine.id}/runCommands/${name}`, type: `${machine.type}/runCommands`, location, tags,
    properties: { ...usual, ...shown, provisioningState, ...(withView && { instanceView: { ...view } }) },
  };
}

function now() {
  return new Date().toISOString();
}
