import * as z from 'zod';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { YAML_LIMITS } from '../../lib/fleet/protocol/yaml-rules.ts';
import { isAppError } from '../../lib/platform/errors.ts';
import type { BodyFormat } from '../../lib/platform/http/endpoint.ts';
import { parseJson, utf8 } from '../../lib/platform/http/request-body.ts';

const YAML_TYPES = ['application/yaml', 'text/yaml', 'application/x-yaml'];

/** The YAML's schema for the OpenAPI document. The verb itself checks the size in bytes. */
export const DescribedYaml = z.string().meta({ maxLength: YAML_LIMITS.bytes, description: `At most ${YAML_LIMITS.bytes} bytes of UTF-8` });
export const NewDeploymentObject = z
  .object({ yaml_content: DescribedYaml, is_deletion_marker: z.boolean().nullish() })
  .meta({ id: 'CreateDeploymentObjectRequest' });

/**
 * JSON that escapes everything but ASCII makes a text at most three times as long: a character of two bytes becomes six, one of four
 * twelve. Newlines, quotes and backslashes double. The rest is for the other members. The YAML itself is measured after decoding.
 */
export const OBJECT_BODY_LIMIT_BYTES = 3 * YAML_LIMITS.bytes + 256 * 1024;

/**
 * A body is the YAML itself with `?deletion_marker=`, or JSON. JSON may have any other content type, since `curl -d` sends a form's.
 * The YAML is taken byte for byte. The contract calls a body without a YAML text an invalid deployment object.
 */
export const deploymentObjectBody: BodyFormat = {
  accepts: ['application/json', ...YAML_TYPES],
  decode(body) {
    if (YAML_TYPES.includes(body.mediaType)) {
      return { yaml_content: utf8(body.bytes), is_deletion_marker: body.query.deletion_marker === 'true' };
    }
    const value = decodeJson(body.bytes);
    if (!WithYaml.safeParse(value).success) {
      throw fleetError('invalid_deployment_object', {
        message: 'body.yaml_content: must be a text',
        details: { field: 'yaml_content', rule: 'must be a text' },
      });
    }
    return value;
  },
};
const WithYaml = z.object({ yaml_content: z.string() });

function decodeJson(bytes: Buffer): unknown {
  try {
    return parseJson(utf8(bytes));
  } catch (error) {
    if (isAppError(error, 'invalid_json'))
      throw fleetError('invalid_deployment_object', {
        message: `${error.message}; to send the YAML itself, use Content-Type: ${YAML_TYPES[0]}`,
      });
    throw error;
  }
}
