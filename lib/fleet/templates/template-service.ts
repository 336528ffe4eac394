import { generatorPresent } from '../../identity/generator-repository.ts';
import { decideFor } from '../../identity/principal.ts';
import { timestamp } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import { newTimedId } from '../../platform/ids.ts';
import type { ListPage, PageRequest } from '../../platform/list-page.ts';
import { checkName } from '../checked-text.ts';
import { retryOnConcurrentChange } from '../concurrent-change.ts';
import { checksumOf } from '../deployment-objects/deployment-object-repository.ts';
import { fleetError } from '../fleet-errors.ts';
import type { Caller, FleetPorts } from '../fleet-ports.ts';
import { noGenerator } from '../stacks/stack-service.ts';
import { compileSchema, SchemaError } from './parameters/parameters-schema.ts';
import { audited, checkOwner } from './remove-template.ts';
import type { StackTemplate, TemplateEngine, TemplateHead } from './template.ts';
import { prepareTemplate } from './template-engine.ts';
import { TemplateSyntaxError } from './template-error.ts';
import { TEMPLATE_LIMITS } from './template-limits.ts';
import { findTemplateHead, lastVersion, listTemplates, templateNewWrites, withTexts } from './template-repository.ts';

export interface TemplateTexts {
  description?: string | null | undefined;
  template_content: string;
  parameters_schema: string;
  engine?: TemplateEngine | null | undefined;
}

/** Whose templates the caller makes and changes: null for the system's, which are an admin's. */
const ownerFor = ({ principal }: Caller): string | null =>
  decideFor<string | null>(principal, {
    admin: () => null,
    agent: () => {
      throw fleetError('templates_not_accessible');
    },
    generator: ({ id }) => id,
  });

/** Admins read every template, a generator the system's and its own. */
const mayRead = ({ principal }: Caller, { generator_id }: Pick<TemplateHead, 'generator_id'>): boolean =>
  decideFor(principal, { admin: () => true, agent: () => false, generator: ({ id }) => generator_id === null || generator_id === id });

export async function readableTemplate({ database }: FleetPorts, caller: Caller, id: string): Promise<TemplateHead> {
  const head = await findTemplateHead(database, id);
  if (!head) throw fleetError('template_not_found');
  checkReader(caller, head);
  return head;
}

export function checkReader(caller: Caller, head: TemplateHead): void {
  if (!mayRead(caller, head)) throw fleetError('template_not_accessible');
}

/** Admins change every template, a generator its own. */
export async function ownTemplate({ database }: FleetPorts, caller: Caller, id: string): Promise<TemplateHead> {
  const head = await findTemplateHead(database, id);
  if (!head) throw fleetError('template_not_found');
  checkOwner(caller, head);
  return head;
}

export async function getTemplate(ports: FleetPorts, caller: Caller, id: string): Promise<StackTemplate> {
  const template = await withTexts(ports.database, await readableTemplate(ports, caller, id));
  if (!template) throw fleetError('template_not_found');
  return template;
}

export const listVisibleTemplates = (
  { database }: FleetPorts,
  { principal }: Caller,
  page: PageRequest,
): Promise<ListPage<StackTemplate>> =>
  listTemplates(
    database,
    decideFor<string | undefined>(principal, {
      admin: () => undefined,
      agent: () => {
        throw fleetError('templates_not_accessible');
      },
      generator: ({ id }) => id,
    }),
    page,
  );

/** Makes the first version of a template, or the next one of a name that the owner has had before. */
export function createTemplate(ports: FleetPorts, caller: Caller, name: string, texts: TemplateTexts): Promise<StackTemplate> {
  const owner = ownerFor(caller);
  checkName('invalid_template', 'name', name);
  checkTexts(texts);
  return addVersion(ports, caller, { ...texts, generator_id: owner, name, engine: texts.engine ?? 'tera' }, 'template.created');
}

/** Makes the next version, with an id of its own. Labels and annotations stay with the version that has them. */
export function updateTemplate(ports: FleetPorts, caller: Caller, before: TemplateHead, texts: TemplateTexts): Promise<StackTemplate> {
  checkOwner(caller, before);
  const engine = texts.engine ?? before.engine;
  checkTexts({ ...texts, engine });
  const { generator_id, name } = before;
  return addVersion(ports, caller, { description: before.description, ...texts, generator_id, name, engine }, 'template.updated');
}

/** Throws the contract's error for texts that can't be used. */
function checkTexts(texts: TemplateTexts): void {
  if (Buffer.byteLength(texts.template_content) > TEMPLATE_LIMITS.textBytes)
    throw new AppError('payload_too_large', `template_content: has more than ${TEMPLATE_LIMITS.textBytes} bytes`);
  for (const problem of problemsOf(texts)) throw fleetError(problem.code, problem);
}

export interface TemplateProblem {
  code: 'invalid_template' | 'invalid_template_syntax' | 'invalid_parameters_schema';
  message: string;
  details?: { line: number; column: number } | { field: string; rule: string };
}

/** What is wrong with the texts of a template, if anything. */
export function problemsOf({ description, template_content, parameters_schema, engine }: TemplateTexts): TemplateProblem[] {
  const rule = 'must not be blank';
  const problems = Object.entries({ description, template_content, parameters_schema })
    .filter(([, text]) => text?.trim() === '')
    .map(([field]): TemplateProblem => ({ code: 'invalid_template', message: `${field} ${rule}`, details: { field, rule } }));
  if (problems.length > 0) return problems;
  try {
    prepareTemplate(engine ?? 'tera', template_content);
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error;
    problems.push({
      code: 'invalid_template_syntax',
      message: `template_content: ${error.message}`,
      ...(error.place && { details: error.place }),
    });
  }
  try {
    compileSchema(parameters_schema);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    problems.push({ code: 'invalid_parameters_schema', message: `parameters_schema: ${error.message}` });
  }
  return problems;
}

type NewVersion = Omit<TemplateTexts, 'engine'> & Pick<TemplateHead, 'generator_id' | 'name' | 'engine'>;

const addVersion = (ports: FleetPorts, caller: Caller, input: NewVersion, action: string): Promise<StackTemplate> =>
  retryOnConcurrentChange(ports, 'template', async () => {
    const { generator_id, name, engine, description, template_content, parameters_schema } = input;
    const now = timestamp(ports.clock);
    const template: StackTemplate = {
      id: newTimedId(ports.clock.nowMs()),
      created_at: now,
      updated_at: now,
      deleted_at: null,
      generator_id,
      name,
      description: description ?? null,
      version: (await lastVersion(ports.database, generator_id, name)) + 1,
      engine,
      template_content,
      parameters_schema,
      checksum: checksumOf(template_content),
    };
    const ownerPresent = generator_id === null ? [] : [generatorPresent(generator_id, noGenerator)];
    await ports.commit({ writes: [...ownerPresent, ...templateNewWrites(template)], audit: audited(caller, action, template) });
    return template;
  });
