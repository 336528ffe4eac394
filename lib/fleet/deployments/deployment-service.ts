import * as z from 'zod';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage } from '../../platform/list-page.ts';
import { listStackEvents } from '../agent-events/agent-event-lists.ts';
import { reportEvent } from '../agent-events/agent-event-service.ts';
import { findObject, findObjectHead, objectNewWrites } from '../deployment-objects/deployment-object-repository.ts';
import { checkYaml, createDeploymentObject } from '../deployment-objects/deployment-object-service.ts';
import { newObjectHead, objectAudit } from '../deployment-objects/newest-or-history.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { AgentEvent } from '../protocol/agent-protocol.ts';
import { checkStackText, type Stack } from '../stacks/stack.ts';
import { findStack, type StackRecord, stackNewWrites } from '../stacks/stack-repository.ts';
import { getOwnStack, getStack, noGenerator, owns, updateStack } from '../stacks/stack-service.ts';
import { runsStack } from '../targeting/matching.ts';

/**
 * A deployment, in the words of the `/v1` API: a stack together with its newest deployment object. Its id is the stack's. Everything
 * here is said in terms of stacks and objects; nothing is stored twice.
 */
export const Deployment = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string().nullable(),
    generator_id: z.uuid(),
    deployment_object_id: z.uuid().nullable(),
    sequence_id: z.int().nullable(),
    yaml_content: z.string().nullable(),
    yaml_checksum: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Deployment' });
export type Deployment = z.infer<typeof Deployment>;

async function deploymentOf({ database }: FleetPorts, stack: StackRecord): Promise<Deployment> {
  const head = stack.latest_object;
  const object = head && (await findObject(database, head.object_id));
  const { id, name, description, generator_id, created_at, updated_at } = stack;
  return {
    id,
    name,
    description,
    generator_id,
    deployment_object_id: object?.id ?? null,
    sequence_id: object?.sequence_id ?? null,
    yaml_content: object?.yaml_content ?? null,
    yaml_checksum: object?.yaml_checksum ?? null,
    created_at,
    updated_at,
  };
}

export interface NewDeployment {
  name: string;
  description?: string | null | undefined;
  yaml_content: string;
  /** A generator's own id where absent; for an admin, the admin generator's. */
  generator_id?: string | undefined;
}

/** Stack and first object in one transaction: never one without the other. */
export async function createDeployment(at: FleetPorts, actor: Caller, input: NewDeployment): Promise<Deployment> {
  const { principal } = actor;
  if (principal.type === 'agent') throw fleetError('stack_create_denied');
  const generatorId = input.generator_id ?? (principal.type === 'generator' ? principal.id : at.installation.admin_generator_id);
  if (principal.type === 'generator' && generatorId !== principal.id) throw fleetError('stack_generator_mismatch');
  const { name, description = null, yaml_content } = input;
  checkStackText(name, description);
  checkYaml({ yaml_content, is_deletion_marker: false });
  if (!(await findGenerator(at.database, generatorId))) throw noGenerator();
  const now = timestamp(at.clock);
  const stack: Stack = { id: newId(), created_at: now, updated_at: now, deleted_at: null, name, description, generator_id: generatorId };
  const head = newObjectHead(at, stack, { yaml_content, is_deletion_marker: false });
  await at.commit({
    writes: [generatorPresent(generatorId, noGenerator), ...stackNewWrites(stack, head), ...objectNewWrites(head, yaml_content)],
    audit: [{ actor, action: 'stack.created', resourceType: 'stack', resourceId: stack.id, details: { name } }, objectAudit(actor, head)],
  });
  return deploymentOf(at, await getStack(at, stack.id));
}

/** Its owner, admins, and agents that run it. */
export async function getDeployment(at: FleetPorts, caller: Caller, id: string): Promise<Deployment> {
  const stack = await getStack(at, id);
  const { principal } = caller;
  const runs = principal.type === 'agent' && (await runsStack(at.database, principal.id, stack));
  if (!runs && !owns(caller, stack)) throw fleetError('stack_not_accessible');
  return deploymentOf(at, stack);
}

/** A new name or description, and where there is new YAML, a newer object. */
export async function updateDeployment(
  at: FleetPorts,
  actor: Caller,
  id: string,
  change: { name?: string | undefined; description?: string | null | undefined; yaml_content?: string | undefined },
): Promise<Deployment> {
  const before = await getOwnStack(at, actor, id);
  const { name = before.name, description = before.description, yaml_content } = change;
  if (yaml_content !== undefined) checkYaml({ yaml_content, is_deletion_marker: false });
  if (name !== before.name || description !== before.description) await updateStack(at, actor, id, { name, description });
  if (yaml_content !== undefined) await createDeploymentObject(at, actor, id, { yaml_content, is_deletion_marker: false });
  return deploymentOf(at, await getStack(at, id));
}

export interface DeploymentReport {
  deployment_id: string;
  /** The newest where absent. */
  deployment_object_id?: string | undefined;
  event_type: string;
  status: string;
  message?: string | null | undefined;
}

/** An agent's report on a deployment it runs; on another object than the newest also after it was withdrawn. */
export async function reportDeployment(at: FleetPorts, caller: Caller, report: DeploymentReport): Promise<AgentEvent> {
  if (caller.principal.type !== 'agent') throw fleetError('agent_pak_required');
  const { deployment_id, event_type, status, message } = report;
  const agentId = caller.principal.id;
  const objectId = report.deployment_object_id ?? (await newestRunBy(at, agentId, deployment_id));
  const head = objectId === undefined ? undefined : await findObjectHead(at.database, objectId);
  if (head?.stack_id !== deployment_id)
    throw foreignKeyViolation(
      'agent_events_deployment_id',
      'deployment_id: no such deployment, or nothing of it was deployed to this agent',
    );
  return reportEvent(at, { agent_id: agentId, deployment_object_id: head.id, event_type, status, message });
}

/** Only of what the agent runs: the answer names the object. */
async function newestRunBy({ database }: FleetPorts, agentId: string, stackId: string): Promise<string | undefined> {
  const stack = await findStack(database, stackId);
  return stack && (await runsStack(database, agentId, stack)) ? stack.latest_object?.object_id : undefined;
}

/** Newest first. */
export async function listDeploymentEvents(ports: FleetPorts, caller: Caller, id: string, cursor?: string): Promise<ListPage<AgentEvent>> {
  await getOwnStack(ports, caller, id);
  return listStackEvents(ports, id, cursor);
}
