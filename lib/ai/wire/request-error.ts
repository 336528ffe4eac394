import { AppError } from '../../platform/errors.ts';

/**
 * The caller's request can't be served as it is. `param` names the member as OpenAI does, with indexes in brackets:
 * `messages.[3].tool_call_id`.
 */
export const requestError = (param: string, message: string, code = 'invalid_value'): AppError =>
  new AppError('bad_request', message, { code, details: { param } });
