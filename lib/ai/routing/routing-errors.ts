import { AppError, type ErrorKind, type ErrorOptions } from '../../platform/errors.ts';

/** The failures of routing, with their codes on the wire. */
const ROUTING_ERRORS = {
  PROVIDER_NOT_FOUND: ['not_found', 'the provider was not found'],
  PROVIDER_ALREADY_EXISTS: ['conflict', 'a provider with this id exists'],
  GROUP_NOT_FOUND: ['not_found', 'the model group was not found'],
  NAME_ALREADY_EXISTS: ['conflict', 'this name exists'],
  PRICE_NOT_FOUND: ['not_found', 'the price override was not found'],
  DECISION_NOT_FOUND: ['not_found', 'the routing decision was not found'],
  MODEL_NOT_FOUND: ['not_found', 'the model was not found'],
  PROJECT_NOT_FOUND: ['not_found', 'the project was not found'],
  NO_PROVIDER_AVAILABLE: ['unavailable', 'no provider is available for this model'],
  VERSION_CONFLICT: ['conflict', 'somebody else changed it at the same time; read it again'],
  REQUIRED_FIELD_MISSING: ['bad_request', 'a member is missing'],
  INVALID_INPUT: ['bad_request', 'the input is not valid'],
} as const satisfies Record<string, readonly [ErrorKind, string]>;
export type RoutingErrorCode = keyof typeof ROUTING_ERRORS;

export function routingError(code: RoutingErrorCode, options: Omit<ErrorOptions, 'code'> & { message?: string } = {}): AppError {
  const [kind, standard] = ROUTING_ERRORS[code];
  const { message = standard, ...rest } = options;
  return new AppError(kind, message, { code, ...rest });
}

/** The error for one member of the body. The value is not repeated: it may be a secret. */
export const memberError = (code: 'REQUIRED_FIELD_MISSING' | 'INVALID_INPUT', field: string, constraint: string): AppError =>
  routingError(code, { message: `${field}: ${constraint}`, details: { field, constraint } });
