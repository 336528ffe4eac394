import { AppError, type ErrorKind } from '../platform/errors.ts';
import type { HttpResult } from '../platform/http/http-event.ts';
import { jsonResult } from '../platform/http/results.ts';
import type { InputPart, Issue } from '../platform/http/validation.ts';

/** The fleet's HTTP status of each kind of failure. */
export const FLEET_STATUS: Readonly<Record<ErrorKind, number>> = {
  bad_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  timeout: 408,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  quota_exceeded: 429,
  internal: 500,
  unavailable: 503,
  upstream_failed: 502,
  upstream_timeout: 504,
};

/** Every code of the fleet's wire with its kind and standard text. Codes are API: never rename one. */
export const FLEET_ERRORS = {
  admin_required: ['forbidden', 'admin access required'],
  agent_pak_required: ['forbidden', "an agent's key is required"],
  agent_pak_mismatch: ['forbidden', 'this key belongs to another principal than the agent in the request'],
  agent_not_found: ['not_found', 'agent not found'],
  invalid_agent: ['bad_request', 'invalid agent'],
  agent_id_mismatch: ['bad_request', 'agent_id in the body differs from the one in the path'],
  name_and_cluster_required: ['bad_request', 'both name and cluster_name are required'],
  agent_label_not_found: ['not_found', 'the agent has no such label'],
  agent_annotation_not_found: ['not_found', 'the agent has no such annotation'],
  agent_event_not_found: ['not_found', 'agent event not found'],
  agent_target_not_found: ['not_found', 'the agent has no such target'],
  agent_not_registered: ['forbidden', "the agent is not registered with the stack's generator"],
  invalid_generator_id: ['bad_request', 'invalid generator id'],
  target_generator_mismatch: ['forbidden', 'the stack belongs to another generator'],
  target_create_denied: ['forbidden', 'agents may not change targets'],
  generator_not_found: ['not_found', 'generator not found'],
  generator_not_owned: ['forbidden', 'this key belongs to another principal than the generator in the path'],
  invalid_generator: ['bad_request', 'invalid generator'],
  not_authorized: ['forbidden', 'not authorized'],
  cannot_delete_system_generator: ['forbidden', 'a system generator cannot be deleted'],
  system_generator_not_a_tenant: ['forbidden', 'the system generator is not a tenant'],
  generator_required: ['forbidden', "an admin's or a generator's key is required"],
  missing_agent_id: ['bad_request', 'agent_id is required'],
  registration_not_allowed: ['forbidden', 'the generator does not allow this agent to register itself'],
  already_registered: ['conflict', 'the agent is already registered with this generator'],
  forbidden: ['forbidden', 'forbidden'],
  stack_not_found: ['not_found', 'stack not found'],
  stack_not_owned: ['forbidden', 'the stack belongs to another generator'],
  stack_not_accessible: ['forbidden', 'the stack is not accessible with this key'],
  stacks_list_denied: ['forbidden', 'agents may not list stacks'],
  stack_create_denied: ['forbidden', 'agents may not create stacks'],
  stack_generator_mismatch: ['forbidden', 'generator_id names another generator'],
  stack_id_mismatch: ['bad_request', 'the stack id in the body differs from the one in the path'],
  invalid_stack: ['bad_request', 'invalid stack'],
  invalid_label: ['bad_request', 'invalid label'],
  invalid_annotation: ['bad_request', 'invalid annotation'],
  stack_label_not_found: ['not_found', 'the stack has no such label'],
  stack_annotation_not_found: ['not_found', 'the stack has no such annotation'],
  deployment_object_not_found: ['not_found', 'deployment object not found'],
  invalid_deployment_object: ['bad_request', 'invalid deployment object'],
  agent_not_associated: ['forbidden', 'the agent is not associated with this deployment object'],
  generator_not_associated: ['forbidden', 'the deployment object belongs to another generator'],
  template_not_found: ['not_found', 'template not found'],
  template_not_owned: ['forbidden', 'the template belongs to another owner'],
  template_not_accessible: ['forbidden', 'the template is not accessible with this key'],
  templates_not_accessible: ['forbidden', 'agents may not read templates'],
  invalid_template: ['bad_request', 'invalid template'],
  invalid_template_syntax: ['bad_request', 'the template cannot be parsed'],
  invalid_parameters_schema: ['bad_request', 'the parameters schema cannot be used'],
  invalid_parameters: ['bad_request', 'the parameters do not fit the schema of the template'],
  template_render_failed: ['bad_request', 'the template cannot be rendered'],
  template_stack_mismatch: ['unprocessable', 'the stack lacks labels or annotations of the template'],
  template_label_not_found: ['not_found', 'the template has no such label'],
  template_annotation_not_found: ['not_found', 'the template has no such annotation'],
  provenance_not_found: ['not_found', 'the deployment object was not made from a template'],
  work_order_not_found: ['not_found', 'work order not found'],
  work_order_not_owned: ['forbidden', 'the work order belongs to another owner'],
  invalid_work_order: ['bad_request', 'invalid work order'],
  no_targeting_specified: ['bad_request', 'targeting: name at least one agent, label or annotation'],
  work_order_not_claimable: ['not_found', 'no work order with this id can be claimed by this agent now'],
  work_order_not_claimed_by_agent: ['forbidden', 'the work order is not claimed by this agent'],
  work_order_lease_lost: ['conflict', 'this claim is over: its time has passed, or there was a later claim or completion'],
  work_order_log_entry_not_found: ['not_found', 'no finished work order has this id'],
  unique_violation: ['conflict', 'already exists'],
  foreign_key_violation: ['unprocessable', 'refers to something that does not exist'],
  target_state_too_large: ['payload_too_large', 'the target state is larger than one answer can be'],
  too_many: ['unprocessable', 'too many'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;
export type FleetErrorCode = keyof typeof FLEET_ERRORS;

export function fleetError(
  code: FleetErrorCode,
  options: { message?: string; details?: Record<string, unknown>; cause?: unknown } = {},
): AppError {
  const [kind, standard] = FLEET_ERRORS[code];
  const { message = standard, ...rest } = options;
  return new AppError(kind, message, { code, ...rest });
}

/** The error for a duplicate, with the name of the rule that it breaks. */
export const uniqueViolation = (constraint: string, message: string): AppError =>
  fleetError('unique_violation', { message, details: { constraint } });
/** The error for a reference to something missing, with the name of the rule that it breaks. */
export const foreignKeyViolation = (constraint: string, message: string): AppError =>
  fleetError('foreign_key_violation', { message, details: { constraint } });

/** `{ code, message, error, details? }`: the current contract's shape, with the seed's `error` repeating the message. 401 has no body. */
export function renderFleetError(error: AppError): HttpResult {
  const status = FLEET_STATUS[error.kind];
  if (error.kind === 'unauthenticated') return { statusCode: status, headers: { 'www-authenticate': 'Bearer' }, body: '' };
  const { code, message, details } = error;
  return jsonResult(status, { code, message, error: message, ...(details && { details }) });
}

/** The error for input that breaks rules: 400 for the path and the query, 422 for the body. */
export function invalidFleetInput(part: InputPart, issues: readonly Issue[]): AppError {
  const [first] = issues;
  return new AppError(part === 'body' ? 'unprocessable' : 'bad_request', first ? `${first.field}: ${first.rule}` : `invalid ${part}`, {
    code: 'validation_failed',
    details: { issues: issues.map(({ field, rule }) => ({ field, rule })) },
  });
}
