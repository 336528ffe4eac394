import { decideFor } from '../../identity/principal.ts';
import type { Write } from '../../platform/database/database.ts';
import { AppError } from '../../platform/errors.ts';
import { collectPage, type ListPage } from '../../platform/list-page.ts';
import { yieldToOthers } from '../../platform/slices.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import { countYamlDocuments } from '../protocol/yaml-reader.ts';
import { YamlError } from '../protocol/yaml-rules.ts';
import { YamlReaderBusy } from '../protocol/yaml-thread.ts';
import { findStack, type StoredStack } from '../stacks/stack-repository.ts';
import { checkOwner } from '../stacks/stack-service.ts';
import { runsStack } from '../targeting/matching.ts';
import {
  findDeploymentObject,
  findDeploymentObjectHead,
  listDeploymentObjectIds,
  type NewDeploymentObjectHead,
} from './deployment-object-repository.ts';
import { commitAsNewestOrHistory, type NewDeploymentObject } from './newest-or-history.ts';

/**
 * Stores a stack's next desired state, byte for byte, and makes it the head. If two are stored at once, the one with the higher
 * sequence stays the head, whichever is stored first.
 */
export async function createDeploymentObject(
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  input: NewDeploymentObject,
  more?: (head: NewDeploymentObjectHead) => readonly Write[],
): Promise<DeploymentObject> {
  checkOwner(caller, stack);
  await checkYaml(input);
  return asDeploymentObject(await commitAsNewestOrHistory(ports, caller, stack, input, more), input.yaml_content);
}

const asDeploymentObject = (head: NewDeploymentObjectHead, yaml_content: string): DeploymentObject => ({
  ...head,
  updated_at: head.created_at,
  deleted_at: null,
  submitted_at: head.created_at,
  yaml_content,
});

/**
 * Checks that the text is YAML within YAML_LIMITS with at least one document; a deletion marker may be empty. Whether Kubernetes takes it
 * is found out by the agent.
 */
export async function checkYaml({ yaml_content, is_deletion_marker }: NewDeploymentObject): Promise<void> {
  try {
    if ((await countYamlDocuments(yaml_content)) === 0 && !is_deletion_marker) {
      throw fleetError('invalid_deployment_object', {
        message: 'yaml_content has no document: to remove everything, submit a deletion marker',
      });
    }
  } catch (error) {
    if (error instanceof YamlReaderBusy) throw new AppError('unavailable', `yaml_content: ${error.message}`, { retryAfterSeconds: 2 });
    if (!(error instanceof YamlError)) throw error;
    if (error.code === 'too_large') throw new AppError('payload_too_large', `yaml_content: ${error.message}`);
    throw fleetError('invalid_deployment_object', {
      message: `yaml_content: ${error.message}`,
      details: { field: 'yaml_content', rule: error.code },
    });
  }
}

/** A page holds at most this many deployment objects, and fewer if they are large. */
export const OBJECTS_A_PAGE = 100;
const BODIES_READ_AT_ONCE = 10;

/** Lists a stack's deployment objects, newest first. The cursor is the sequence of the last one on the page before. */
export async function listDeploymentObjects(
  { database }: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<ListPage<DeploymentObject>> {
  checkOwner(caller, stack);
  // One more is read than a page holds, so that a full page knows whether anything is left.
  const ids = await listDeploymentObjectIds(database, stack.id, limit + 1, cursor === undefined ? undefined : Number(cursor));
  const page = collectPage<DeploymentObject>(limit);
  for (let from = 0; from < ids.length; from += BODIES_READ_AT_ONCE) {
    const some = await Promise.all(ids.slice(from, from + BODIES_READ_AT_ONCE).map((id) => findDeploymentObject(database, id)));
    for (const one of some) {
      if (one && !page.add(one)) return { items: page.items, next: String(page.items.at(-1)?.sequence_id) };
      // A deployment object may have a megabyte, so other requests get their turn after each.
      await yieldToOthers();
    }
  }
  return { items: page.items };
}

/** Admins, the owner, and every agent that runs the stack may read a deployment object. */
export async function getDeploymentObject({ database, clock }: FleetPorts, { principal }: Caller, id: string): Promise<DeploymentObject> {
  const head = await findDeploymentObjectHead(database, id, clock.nowMs());
  const stack = head && (await findStack(database, head.stack_id));
  if (!stack) throw fleetError('deployment_object_not_found');
  await decideFor<void | Promise<void>>(principal, {
    admin: () => {},
    agent: async (agent) => {
      if (!(await runsStack(database, agent.id, stack))) throw fleetError('agent_not_associated');
    },
    generator: (generator) => {
      if (generator.id !== stack.generator_id) throw fleetError('generator_not_associated');
    },
  });
  const found = await findDeploymentObject(database, id);
  if (!found) throw fleetError('deployment_object_not_found');
  return found;
}
