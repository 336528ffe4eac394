import { generatorPresent } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import type { Write } from '../../platform/database/database.ts';
import { AppError } from '../../platform/errors.ts';
import { occurrence } from '../../platform/events/domain-event.ts';
import { newTimedId } from '../../platform/ids.ts';
import { liveAgentsAmong } from '../agents/agent-repository.ts';
import { fleetError, foreignKeyViolation } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import type { WorkOrder } from '../protocol/work-order-protocol.ts';
import { registeredAmong } from '../targeting/registration-repository.ts';
import { checkAnnotation, checkLabel } from '../targeting/selector.ts';
import { announceClaimable } from './dispatch/order-events.ts';
import { sumNewWrite } from './fan-out/children.ts';
import { orderFanOut } from './fan-out/fan-out-events.ts';
import { orderAudit } from './order-owner.ts';
import { type StoredOrder, type Targeting, targetsOf, toWire } from './work-order.ts';
import { orderNewWrites, TARGET_LIMIT } from './work-order-repository.ts';

/** An order is one piece of work, so less than a stack may have. */
const YAML_BYTES_MAX = 1024 * 1024;

export interface NewWorkOrder {
  work_type: string;
  yaml_content: string;
  max_retries: number;
  backoff_seconds: number;
  claim_timeout_seconds: number;
  fan_out: 'any' | 'all';
  targeting: { agent_ids: readonly string[]; labels: readonly string[]; annotations: Readonly<Record<string, string>> };
}

const invalid = (field: string, rule: string) =>
  fleetError('invalid_work_order', { message: `${field} ${rule}`, details: { field, rule } });

/**
 * Stores a new order. Admins address every agent; a generator addresses the agents that are registered with it. With `fan_out: "all"` nobody
 * claims the order itself: its children are made by the queue.
 */
export async function createWorkOrder(ports: FleetPorts, caller: Caller, input: NewWorkOrder): Promise<WorkOrder> {
  const { work_type, yaml_content, max_retries, backoff_seconds, claim_timeout_seconds } = input;
  if (work_type.trim() === '') throw invalid('work_type', 'must not be blank');
  if (yaml_content.trim() === '') throw invalid('yaml_content', 'must not be blank');
  if (Buffer.byteLength(yaml_content) > YAML_BYTES_MAX)
    throw new AppError('payload_too_large', `yaml_content: has more than ${YAML_BYTES_MAX} bytes`);
  const targeting = checkedTargeting(input.targeting);
  const generator_id = decideFor(caller.principal, { admin: () => null, agent: () => null, generator: ({ id }) => id });
  await checkAgents(ports, targeting.agent_ids, generator_id);
  const nowMs = Math.floor(ports.clock.nowMs());
  const now = timestamp(ports.clock);
  const order: StoredOrder = {
    id: newTimedId(nowMs),
    created_at: now,
    updated_at: now,
    work_type,
    generator_id,
    targeting,
    status: 'PENDING',
    // At once, whatever the clock of the server that is asked.
    claimable_at: 0,
    claimed_by: null,
    claimed_at: null,
    token: null,
    attempt: 0,
    lease_seconds: null,
    claim_timeout_seconds,
    max_retries,
    retry_count: 0,
    backoff_seconds,
    last_error: null,
    last_error_at: null,
    body_chunks: 0,
    offered_to: [],
    ...(input.fan_out === 'all' && { fan_out: 'all' }),
  };
  await ports.commit({
    writes: [...ownerPresent(generator_id), ...orderNewWrites(order, yaml_content), ...(order.fan_out ? [sumNewWrite(order.id)] : [])],
    audit: orderAudit(caller, 'workorder.created', order),
    events: [order.fan_out ? occurrence(orderFanOut, { order_id: order.id, target: 0, segment: 1 }) : announceClaimable(order)],
  });
  return toWire(order, yaml_content, nowMs);
}

/** The clean-up of a removed generator goes through its orders: none may appear behind it. */
const ownerPresent = (generatorId: string | null): Write[] =>
  generatorId === null
    ? []
    : [generatorPresent(generatorId, () => foreignKeyViolation('work_orders_generator_id', 'the generator was removed meanwhile'))];

/** An agent that is named twice is addressed once. */
function checkedTargeting({ agent_ids, labels, annotations }: NewWorkOrder['targeting']): Targeting {
  for (const label of labels) checkLabel(label);
  for (const [key, value] of Object.entries(annotations)) checkAnnotation('agent', key, value);
  const targeting = { agent_ids: [...new Set(agent_ids)], labels: [...new Set(labels)], annotations };
  const count = targetsOf(targeting).length;
  if (count === 0) throw fleetError('no_targeting_specified');
  if (count > TARGET_LIMIT)
    throw fleetError('too_many', {
      message: `targeting: an order has at most ${TARGET_LIMIT} agents, labels and annotations together; use a label for more agents`,
    });
  return targeting;
}

async function checkAgents({ database }: FleetPorts, agentIds: readonly string[], generatorId: string | null): Promise<void> {
  const live = await liveAgentsAmong(database, agentIds);
  const unknown = agentIds.find((id) => !live.has(id));
  if (unknown !== undefined) throw foreignKeyViolation('work_order_targets_agent_id', `targeting.agent_ids: no agent ${unknown}`);
  if (generatorId === null) return;
  const registered = await registeredAmong(database, generatorId, agentIds);
  const foreign = agentIds.find((id) => !registered.has(id));
  if (foreign !== undefined)
    throw fleetError('agent_not_registered', {
      message: `targeting.agent_ids: the agent ${foreign} is not registered with this generator`,
    });
}
