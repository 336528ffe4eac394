import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Item, Write } from '../../platform/database/database.ts';
import { isAppError } from '../../platform/errors.ts';
import { isDeeperThan } from '../../platform/json-depth.ts';
import { createDeploymentObject, getDeploymentObject } from '../deployment-objects/deployment-object-service.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { fleetTable, provenanceKey } from '../fleet-table.ts';
import type { DeploymentObject } from '../protocol/agent-protocol.ts';
import type { StoredStack } from '../stacks/stack-repository.ts';
import { checkOwner } from '../stacks/stack-service.ts';
import { findStackSelectors } from '../targeting/selection.ts';
import { checkParameters, compileSchema } from './parameters/parameters-schema.ts';
import { type StackTemplate, TemplateEngine, type TemplateHead } from './template.ts';
import { prepareTemplate } from './template-engine.ts';
import { TemplateRenderError } from './template-error.ts';
import { withTexts } from './template-repository.ts';
import { listTemplateAnnotations, listTemplateLabels } from './template-selectors.ts';
import { readableTemplate } from './template-service.ts';
import { isObject, type Value, type ValueObject } from './tera/values.ts';

export const PARAMETERS_LIMITS = { bytes: 256 * 1024, depth: 32 } as const;

/** A JSON object, taken as it is: a record of zod would leave out a member that is called `__proto__`. */
export const TemplateParameters = z.custom<ValueObject>((value) => isObject(value as Value), 'must be an object').meta({ type: 'object' });

/** Where a deployment object that was made from a template comes from. */
export const Provenance = z
  .object({
    deployment_object_id: z.guid(),
    template_id: z.guid(),
    template_name: z.string(),
    template_version: z.int(),
    template_checksum: z.string(),
    engine: TemplateEngine,
    parameters: TemplateParameters.describe('As they were given, without defaults'),
  })
  .meta({ id: 'DeploymentObjectProvenance' });
export type Provenance = z.infer<typeof Provenance>;

/**
 * Makes a stack's next deployment object from a template. The checks stand in the contract's order: template, right to read it, match,
 * parameters, rendering, YAML. Where the object comes from is stored with it.
 */
export async function instantiateTemplate(
  ports: FleetPorts,
  caller: Caller,
  stack: StoredStack,
  { template_id, parameters }: { template_id: string; parameters: ValueObject },
): Promise<DeploymentObject> {
  checkOwner(caller, stack);
  const head = await readableTemplate(ports, caller, template_id);
  await checkMatch(ports, head, stack);
  const template = await withTexts(ports.database, head);
  if (!template) throw fleetError('template_not_found');
  const yaml_content = rendered(template, parameters);
  try {
    return await createDeploymentObject(ports, caller, stack, { yaml_content, is_deletion_marker: false }, ({ id }) => [
      provenanceWrite(id, template, parameters),
    ]);
  } catch (error) {
    if (isAppError(error, 'invalid_deployment_object'))
      throw fleetError('invalid_deployment_object', { message: `the rendered template is no valid YAML: ${error.message}`, cause: error });
    throw error;
  }
}

/** A template without labels and annotations is for every stack; otherwise the stack needs all of them. */
export async function checkMatch(ports: FleetPorts, head: TemplateHead, stack: StoredStack): Promise<void> {
  const [labels, annotations, own] = await Promise.all([
    listTemplateLabels(ports, head),
    listTemplateAnnotations(ports, head),
    findStackSelectors(ports.database, stack.id),
  ]);
  const selectors = own?.selectors ?? [];
  const missing_labels = labels
    .map(({ label }) => label)
    .filter((label) => !selectors.some((one) => 'label' in one && one.label === label));
  const missing_annotations = annotations
    .map(({ key, value }) => [key, value] as const)
    .filter(([key, value]) => !selectors.some((one) => 'key' in one && one.key === key && one.value === value));
  if (missing_labels.length + missing_annotations.length === 0) return;
  throw fleetError('template_stack_mismatch', { details: { missing_labels, missing_annotations } });
}

/** The template's text with these parameters and the schema's defaults. */
export function rendered(
  { engine, template_content, parameters_schema }: Pick<StackTemplate, 'engine' | 'template_content' | 'parameters_schema'>,
  given: ValueObject,
): string {
  checkSize(given);
  const checked = checkParameters(compileSchema(parameters_schema), given);
  if ('violations' in checked)
    throw fleetError('invalid_parameters', {
      message: `parameters: ${checked.violations[0]}`,
      details: { validation_errors: checked.violations },
    });
  try {
    return prepareTemplate(engine, template_content)(checked.parameters);
  } catch (error) {
    if (error instanceof TemplateRenderError)
      throw fleetError('template_render_failed', { message: error.message, ...(error.place && { details: { ...error.place } }) });
    throw error;
  }
}

function checkSize(parameters: ValueObject): void {
  const rule = isDeeperThan(PARAMETERS_LIMITS.depth, parameters)
    ? `/: nested more than ${PARAMETERS_LIMITS.depth} deep`
    : Buffer.byteLength(JSON.stringify(parameters)) > PARAMETERS_LIMITS.bytes
      ? `/: more than ${PARAMETERS_LIMITS.bytes} bytes`
      : undefined;
  if (rule !== undefined)
    throw fleetError('invalid_parameters', { message: `parameters: ${rule}`, details: { validation_errors: [rule] } });
}

const provenanceWrite = (objectId: string, { id, name, version, checksum, engine }: StackTemplate, parameters: ValueObject): Write => ({
  table: fleetTable.name,
  put: {
    ...provenanceKey(objectId),
    type: 'provenance',
    deployment_object_id: objectId,
    template_id: id,
    template_name: name,
    template_version: version,
    template_checksum: checksum,
    engine,
    parameters: gzipSync(JSON.stringify(parameters)),
  } as Item,
});

/** Who may read a deployment object may read where it comes from. */
export async function getProvenance(ports: FleetPorts, caller: Caller, objectId: string): Promise<Provenance> {
  await getDeploymentObject(ports, caller, objectId);
  const item = await ports.database.get(fleetTable.name, provenanceKey(objectId));
  if (!item) throw fleetError('provenance_not_found');
  const parameters: unknown = JSON.parse(gunzipSync(z.instanceof(Uint8Array).parse(item.parameters)).toString());
  return Provenance.parse({ ...item, parameters });
}
