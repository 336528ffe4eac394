import { AppError } from '../../platform/errors.ts';
import { checkYaml } from '../deployment-objects/deployment-object-service.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { getOwnStack } from '../stacks/stack-service.ts';
import { checkMatch, rendered } from './instantiate.ts';
import type { TemplateHead } from './template.ts';
import { withTexts } from './template-repository.ts';
import { checkReader } from './template-service.ts';
import type { ValueObject } from './tera/values.ts';

export interface Preview {
  /** Null if the template could not be rendered. */
  yaml_content: string | null;
  /** Why an instantiation would be refused; empty if it would not. */
  problems: { code: string; message: string; details?: Record<string, unknown> }[];
}

/** Renders a template, and stores nothing. Refusals of an instantiation are told, not thrown. */
export async function previewTemplate(
  ports: FleetPorts,
  caller: Caller,
  head: TemplateHead,
  { parameters, stack_id }: { parameters: ValueObject; stack_id?: string | null | undefined },
): Promise<Preview> {
  checkReader(caller, head);
  const problems: Preview['problems'] = [];
  const told = async <T>(check: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'unavailable') throw error;
      problems.push({ code: error.code, message: error.message, ...(error.details && { details: error.details }) });
      return undefined;
    }
  };
  if (stack_id != null) await told(async () => checkMatch(ports, head, await getOwnStack(ports, caller, stack_id)));
  const template = await withTexts(ports.database, head);
  if (!template) throw fleetError('template_not_found');
  const text = await told(() => rendered(template, parameters));
  if (text !== undefined) await told(() => checkYaml({ yaml_content: text, is_deletion_marker: false }));
  return { yaml_content: text ?? null, problems };
}
