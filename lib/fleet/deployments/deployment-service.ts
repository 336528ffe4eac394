import * as z from 'zod';
import { findGenerator, generatorPresent } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { newId } from '../../platform/ids.ts';
import type { ListPage } from '../../platform/list-page.ts';
import { listStackEvents } from '../agent-events/agent-event-lists.ts';
import { reportEvent } from '../agent-events/agent-event-service.ts';
import { checkText } from '../checked-text.ts';
import {
  deploymentObjectNewWrites,
  findDeploymentObject,
  findDeploymentObjectHead,
} from '../deployment-objects/deployment-object-repository.ts';
import { checkYaml, createDeploymentObject } from '../deployment-objects/deployment-object-service.ts';
import { deploymentObjectAudit, newDeploymentObjectHead } from '../deployment-objects/newest-or-history.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { AgentEvent } from '../protocol/agent-protocol.ts';
import type { Stack } from '../stacks/stack.ts';
import { findStack, type StoredStack, stackNewWrites } from '../stacks/stack-repository.ts';
import { checkCreator, checkOwner, getStack, noGenerator, updateStack } from '../stacks/stack-service.ts';
import { runsStack } from '../targeting/matching.ts';

/**
 * A deployment is the `/v1` API's word for a stack together with its newest deployment object. Its id is the stack's id. Only stacks and
 * deployment objects are stored, so nothing is stored twice.
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

async function deploymentOf({ database }: FleetPorts, stack: StoredStack): Promise<Deployment> {
  const head = stack.latest_object;
  const newest = head && (await findDeploymentObject(database, head.object_id));
  const { id, name, description, generator_id, created_at, updated_at } = stack;
  return {
    id,
    name,
    description,
    generator_id,
    deployment_object_id: newest?.id ?? null,
    sequence_id: newest?.sequence_id ?? null,
    yaml_content: newest?.yaml_content ?? null,
    yaml_checksum: newest?.yaml_checksum ?? null,
    created_at,
    updated_at,
  };
}

export interface NewDeployment {
  name: string;
  description?: string | null | undefined;
  yaml_content: string;
  /** If absent: a generator's own id; for an admin, the admin generator's id. */
  generator_id?: string | undefined;
}

/** Creates a stack and its first deployment object in one transaction, so that neither exists without the other. */
export async function createDeployment(ports: FleetPorts, caller: Caller, input: NewDeployment): Promise<Deployment> {
  const generatorId = input.generator_id ?? ownGenerator(ports, caller);
  checkCreator(caller, generatorId);
  const { name, description = null, yaml_content } = input;
  checkText('invalid_stack', name, description);
  await checkYaml({ yaml_content, is_deletion_marker: false });
  if (!(await findGenerator(ports.database, generatorId))) throw noGenerator();
  const now = timestamp(ports.clock);
  const stack: Stack = { id: newId(), created_at: now, updated_at: now, deleted_at: null, name, description, generator_id: generatorId };
  const head = newDeploymentObjectHead(ports, stack, { yaml_content, is_deletion_marker: false });
  await ports.commit({
    writes: [generatorPresent(generatorId, noGenerator), ...stackNewWrites(stack, head), ...deploymentObjectNewWrites(head, yaml_content)],
    audit: [
      { actor: caller, action: 'stack.created', resourceType: 'stack', resourceId: stack.id, details: { name } },
      deploymentObjectAudit(caller, head),
    ],
  });
  return deploymentOf(ports, await getStack(ports, stack.id));
}

const ownGenerator = ({ installation }: FleetPorts, { principal }: Caller): string =>
  decideFor(principal, {
    admin: () => installation.admin_generator_id,
    agent: () => {
      throw fleetError('stack_create_denied');
    },
    generator: ({ id }) => id,
  });

/** Its owner, admins, and agents that run it may read a deployment. */
export async function getDeployment(ports: FleetPorts, { principal }: Caller, id: string): Promise<Deployment> {
  const stack = await getStack(ports, id);
  const isReadable = await decideFor<boolean | Promise<boolean>>(principal, {
    admin: () => true,
    agent: (agent) => runsStack(ports.database, agent.id, stack),
    generator: (generator) => generator.id === stack.generator_id,
  });
  if (!isReadable) throw fleetError('stack_not_accessible');
  return deploymentOf(ports, stack);
}

/** Changes the name or the description, and stores a newer deployment object if there is new YAML. */
export async function updateDeployment(
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  change: { name?: string | undefined; description?: string | null | undefined; yaml_content?: string | undefined },
): Promise<Deployment> {
  checkOwner(caller, stack);
  const { name = stack.name, description = stack.description, yaml_content } = change;
  if (yaml_content !== undefined) await checkYaml({ yaml_content, is_deletion_marker: false });
  if (name !== stack.name || description !== stack.description) await updateStack(ports, caller, stack, { name, description });
  if (yaml_content !== undefined) await createDeploymentObject(ports, caller, stack, { yaml_content, is_deletion_marker: false });
  return deploymentOf(ports, await getStack(ports, stack.id));
}

export interface DeploymentReport {
  deployment_id: string;
  /** If absent, the report is on the newest deployment object. */
  deployment_object_id?: string | undefined;
  event_type: string;
  status: string;
  message?: string | null | undefined;
}

/** Stores an agent's report on a deployment that it was told to run. */
export async function reportDeployment(ports: FleetPorts, caller: Caller, report: DeploymentReport): Promise<AgentEvent> {
  const agentId = reporterOf(caller);
  const { deployment_id, event_type, status, message } = report;
  const deploymentObjectId = report.deployment_object_id ?? (await findNewestRunBy(ports, agentId, deployment_id));
  const head =
    deploymentObjectId === undefined ? undefined : await findDeploymentObjectHead(ports.database, deploymentObjectId, ports.clock.nowMs());
  if (head?.stack_id !== deployment_id)
    throw foreignKeyViolation(
      'agent_events_deployment_id',
      'deployment_id: no such deployment, or nothing of it was deployed to this agent',
    );
  return reportEvent(ports, caller, { agent_id: agentId, deployment_object_id: head.id, event_type, status, message });
}

const reporterOf = ({ principal }: Caller): string => {
  const refuse = () => {
    throw fleetError('agent_pak_required');
  };
  return decideFor<string>(principal, { admin: refuse, agent: ({ id }) => id, generator: refuse });
};

/** Only if the agent runs the stack, because the answer names the deployment object. */
async function findNewestRunBy({ database }: FleetPorts, agentId: string, stackId: string): Promise<string | undefined> {
  const stack = await findStack(database, stackId);
  return stack && (await runsStack(database, agentId, stack)) ? stack.latest_object?.object_id : undefined;
}

/** Lists a deployment's events, newest first. */
export async function listDeploymentEvents(
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  cursor?: string,
): Promise<ListPage<AgentEvent>> {
  checkOwner(caller, stack);
  return listStackEvents(ports, stack.id, cursor);
}
