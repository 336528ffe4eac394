import { AppError } from '../../platform/errors.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { parseYamlDocuments } from '../protocol/yaml-documents.ts';
import { YamlError } from '../protocol/yaml-rules.ts';
import { findStack } from '../stacks/stack-repository.ts';
import { getOwnStack, owns } from '../stacks/stack-service.ts';
import { runsStack } from '../targeting/matching.ts';
import { findObject, listObjectIds, type NewObjectHead, wireBytesOf } from './deployment-object-repository.ts';
import { commitAsNewestOrHistory, type NewDeploymentObject } from './newest-or-history.ts';

/**
 * Stores a stack's next desired state, byte for byte, and makes it the newest. Of two at once the one with the higher number stays
 * the head, whichever is stored first.
 */
export async function createDeploymentObject(
  ports: FleetPorts,
  caller: Caller,
  stackId: string,
  input: NewDeploymentObject,
): Promise<DeploymentObject> {
  const stack = await getOwnStack(ports, caller, stackId);
  checkYaml(input);
  return asObject(await commitAsNewestOrHistory(ports, caller, stack, input), input.yaml_content);
}

const asObject = (head: NewObjectHead, yaml_content: string): DeploymentObject => ({
  ...head,
  updated_at: head.created_at,
  deleted_at: null,
  submitted_at: head.created_at,
  yaml_content,
});

/** Parseable YAML of at most a MiB with at least one document; a deletion marker may be empty. What Kubernetes makes of it is the agent's to say. */
export function checkYaml({ yaml_content, is_deletion_marker }: NewDeploymentObject): void {
  try {
    const documents = parseYamlDocuments(yaml_content);
    if (documents.length === 0 && !is_deletion_marker) {
      throw fleetError('invalid_deployment_object', {
        message: 'yaml_content has no document: to remove everything, submit a deletion marker',
      });
    }
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    if (error.code === 'too_large') throw new AppError('payload_too_large', `yaml_content: ${error.message}`);
    throw fleetError('invalid_deployment_object', {
      message: `yaml_content: ${error.message}`,
      details: { field: 'yaml_content', rule: error.code },
    });
  }
}

/** One page holds so many objects at the most, and about so many bytes of YAML: an answer must fit through Lambda's 6 MB. */
export const OBJECT_PAGE = { objects: 100, bytes: 4 * 1024 * 1024 } as const;

/** Newest first. */
export async function listDeploymentObjects(
  at: FleetPorts,
  caller: Caller,
  stackId: string,
  page: { limit: number; before?: number | undefined },
): Promise<DeploymentObject[]> {
  await getOwnStack(at, caller, stackId);
  const ids = await listObjectIds(at.database, stackId, page.limit, page.before);
  const objects: DeploymentObject[] = [];
  let bytes = 0;
  for (let from = 0; from < ids.length && bytes < OBJECT_PAGE.bytes; from += 10) {
    const some = await Promise.all(ids.slice(from, from + 10).map((id) => findObject(at.database, id)));
    for (const object of some) {
      if (!object || bytes >= OBJECT_PAGE.bytes) continue;
      bytes += wireBytesOf(object);
      objects.push(object);
    }
  }
  return objects;
}

/** Admins, the owner, and every agent that runs the stack, however it came to. */
export async function getDeploymentObject(at: FleetPorts, caller: Caller, id: string): Promise<DeploymentObject> {
  const object = await findObject(at.database, id);
  if (!object) throw fleetError('deployment_object_not_found');
  const stack = await findStack(at.database, object.stack_id);
  if (!stack) throw fleetError('deployment_object_not_found');
  const { principal } = caller;
  if (owns(caller, stack)) return object;
  if (principal.type === 'generator') throw fleetError('generator_not_associated');
  if (principal.type === 'agent' && (await runsStack(at.database, principal.id, stack))) return object;
  throw fleetError('agent_not_associated');
}
