import * as z from 'zod';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { YAML_LIMITS } from '../../lib/fleet/protocol/yaml-rules.ts';
import { AppError, isAppError } from '../../lib/platform/errors.ts';
import type { BodyFormat, RawBody } from '../../lib/platform/http/endpoint.ts';
import { jsonBody, utf8 } from '../../lib/platform/http/request-body.ts';

const YAML_TYPES = ['application/yaml', 'text/yaml', 'application/x-yaml'];

export const NewDeploymentObject = z
  .object({ yaml_content: z.string(), is_deletion_marker: z.boolean().nullish() })
  .meta({ id: 'CreateDeploymentObjectRequest' });

/**
 * JSON that escapes all but ASCII makes at most three bytes out of each: a character of two bytes becomes six, one of four twelve. Newlines,
 * quotes and backslashes double. The rest is for the other members; the YAML itself is measured after decoding.
 */
export const OBJECT_BODY_LIMIT_BYTES = 3 * YAML_LIMITS.bytes + 256 * 1024;

/** JSON (also without a content type), or the YAML itself with `?deletion_marker=`; either way the YAML's exact bytes. */
export const deploymentObjectBody: BodyFormat = {
  accepts: ['application/json', ...YAML_TYPES],
  decode(body) {
    if (!YAML_TYPES.includes(body.mediaType)) return decodeJson(body);
    return { yaml_content: utf8(body.bytes), is_deletion_marker: body.query.deletion_marker === 'true' };
  },
};

function decodeJson(body: RawBody): unknown {
  try {
    return jsonBody.decode(body.mediaType === '' ? { ...body, mediaType: 'application/json' } : body);
  } catch (error) {
    // On this operation the contract calls malformed JSON an invalid object.
    if (isAppError(error, 'invalid_json')) throw fleetError('invalid_deployment_object', { message: error.message });
    if (isAppError(error, 'unsupported_media_type'))
      throw new AppError('unsupported_media_type', `expected Content-Type: application/json, ${YAML_TYPES.join(', ')}`);
    throw error;
  }
}
