import * as z from 'zod';

/** The messages between the control plane and an agent. The agent imports nothing else of the fleet. */

const id = z.guid();
const time = z.iso.datetime();

export const Agent = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    name: z.string(),
    cluster_name: z.string(),
    status: z.string(),
    last_heartbeat: time.nullable(),
    k8s_reachable: z.boolean().nullable(),
    k8s_api_latency_ms: z.int().nullable(),
    k8s_reported_at: time.nullable(),
  })
  .meta({ id: 'Agent' });
export type Agent = z.infer<typeof Agent>;

export const DeploymentObject = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    sequence_id: z.int(),
    stack_id: id,
    yaml_content: z.string(),
    yaml_checksum: z.string().describe('SHA-256 of the exact bytes of yaml_content, lower-case hex'),
    submitted_at: time,
    is_deletion_marker: z.boolean(),
  })
  .meta({ id: 'DeploymentObject' });
export type DeploymentObject = z.infer<typeof DeploymentObject>;

/** Tells an agent what to do about one stack. `withdrawn` stays until the agent reports the removal. */
export const Assignment = z
  .object({
    stack_id: id,
    state: z.enum(['assigned', 'withdrawn']),
    deployment_object_id: id.nullable(),
    sequence_id: z.int().nullable(),
    checksum: z.string().nullable(),
    is_deletion_marker: z.boolean(),
  })
  .meta({ id: 'Assignment' });
export type Assignment = z.infer<typeof Assignment>;

export const Assignments = z
  .object({
    agent_id: id,
    status: z.string().describe("The agent's own status: only ACTIVE agents change anything"),
    revision: z
      .string()
      .describe('Opaque. Another one whenever anything that the agent should run may have changed; in quotes it is the ETag'),
    since: z
      .string()
      .optional()
      .describe('The revision asked for by `since`: `assignments` are those of changed stacks alone, all others are as they were'),
    assignments: z.array(Assignment),
    unlisted: z.array(id).optional().describe('With `since`: stacks that are no longer in the list. It is no order to remove anything'),
    next: id.optional().describe('There are more: ask again with `after` set to this stack'),
  })
  .meta({ id: 'Assignments' });
export type Assignments = z.infer<typeof Assignments>;

/** An agent reports DEPLOY after it has applied a deployment object, and REMOVE after it has removed a withdrawn stack. */
export const EVENT_TYPES = { deploy: 'DEPLOY', remove: 'REMOVE' } as const;

/** The outcome for one Kubernetes object in a reconcile. */
export const ObjectOutcome = z
  .object({
    api_version: z.string(),
    kind: z.string(),
    namespace: z.string().nullable(),
    name: z.string(),
    action: z
      .enum(['created', 'configured', 'adopted', 'unchanged', 'corrected', 'deleted', 'released', 'skipped', 'failed'])
      .describe('adopted: it was there before, and stays when it leaves its stack; released: it left its stack and stayed'),
    because: z.string().optional(),
    health: z.enum(['healthy', 'progressing', 'failed', 'unknown']).optional(),
    message: z.string().optional(),
  })
  .meta({ id: 'ObjectOutcome' });
export type ObjectOutcome = z.infer<typeof ObjectOutcome>;

/** The structured outcome of a reconcile, beside the human `message`. It has at most 200 objects, failures first. */
export const EventDetails = z
  .object({
    stack_id: id.optional(),
    objects_total: z.int().min(0),
    counts: z.record(z.string().min(1), z.int()),
    objects: z.array(ObjectOutcome).max(200),
    duration_ms: z.int().min(0).optional(),
    report_id: z
      .uuid()
      .optional()
      .describe(
        "The agent's own id of a piece of news that may read like the one before. With another id it is another event, with the same id a repetition",
      ),
  })
  .meta({ id: 'EventDetails' });
export type EventDetails = z.infer<typeof EventDetails>;

export const NewAgentEvent = z
  .object({
    agent_id: id,
    deployment_object_id: id,
    event_type: z.string().min(1).max(50),
    status: z.string().min(1).max(10),
    message: z.string().max(32_768).nullish(),
    details: EventDetails.nullish(),
  })
  .meta({ id: 'NewAgentEvent' });
export type NewAgentEvent = z.infer<typeof NewAgentEvent>;

export const AgentEvent = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    agent_id: id,
    deployment_object_id: id,
    event_type: z.string(),
    status: z.string(),
    message: z.string().nullable(),
    details: EventDetails.nullable(),
  })
  .meta({ id: 'AgentEvent' });
export type AgentEvent = z.infer<typeof AgentEvent>;

export const HeartbeatReport = z
  .object({ k8s_reachable: z.boolean().nullish(), k8s_api_latency_ms: z.int().min(0).nullish() })
  .meta({ id: 'HeartbeatReport' });
export type HeartbeatReport = z.infer<typeof HeartbeatReport>;

export const AuthResponse = z
  .object({ admin: z.boolean(), agent: id.nullable(), generator: id.nullable(), readonly: z.boolean() })
  .meta({ id: 'AuthResponse' });
export type AuthResponse = z.infer<typeof AuthResponse>;
