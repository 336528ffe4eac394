import * as z from 'zod';
import { DeploymentObject } from '../../lib/fleet/protocol/agent-protocol.ts';
import { DescribedSelector } from '../../lib/fleet/targeting/selector.ts';
import { getProvenance, instantiateTemplate, Provenance, TemplateParameters } from '../../lib/fleet/templates/instantiate.ts';
import { previewTemplate } from '../../lib/fleet/templates/preview-template.ts';
import { removeTemplate } from '../../lib/fleet/templates/remove-template.ts';
import { StackTemplate, TemplateAnnotation, TemplateEngine, TemplateLabel } from '../../lib/fleet/templates/template.ts';
import { TEMPLATE_LIMITS } from '../../lib/fleet/templates/template-limits.ts';
import {
  addTemplateAnnotation,
  addTemplateLabel,
  listTemplateAnnotations,
  listTemplateLabels,
  removeTemplateAnnotation,
  removeTemplateLabel,
} from '../../lib/fleet/templates/template-selectors.ts';
import {
  createTemplate,
  getTemplate,
  listVisibleTemplates,
  ownTemplate,
  problemsOf,
  readableTemplate,
  updateTemplate,
} from '../../lib/fleet/templates/template-service.ts';
import { cursorParameter } from '../../lib/platform/list-cursor.ts';
import { LONGEST_PAGE } from '../../lib/platform/list-page.ts';
import { Description } from '../../lib/platform/names.ts';
import {
  API,
  callerOf,
  checkedInService,
  endpoint,
  type FleetContext,
  fleetFunction,
  Id,
  IdParams,
  ownersOnly,
  ownStack,
} from './fleet-endpoint.ts';
import { answerPage, PAGED } from './list-answer.ts';

const tag = 'templates';
const readers = ownersOnly('templates_not_accessible');
const owner = ownersOnly('template_not_owned');
/** Two texts of at most 1 MiB and 256 KiB; in JSON each may be three times as long. */
const TEXTS_LIMIT_BYTES = 4 * 1024 * 1024;
const PARAMETERS_LIMIT_BYTES = 1024 * 1024;

const content = z.string().max(TEMPLATE_LIMITS.textBytes);
const schema = z.string().describe('A JSON Schema as a text: draft 2020-12, or 7 if `$schema` says so');
const texts = {
  description: Description.nullish(),
  template_content: content,
  parameters_schema: schema,
  engine: TemplateEngine.nullish().describe('`tera` if absent'),
};
const NewTemplate = z.object({ name: z.string(), ...texts }).meta({ id: 'CreateTemplateRequest' });
const TemplateUpdate = z.object(texts).meta({ id: 'UpdateTemplateRequest' });
const NewTemplateAnnotation = z.object({ key: DescribedSelector, value: DescribedSelector }).meta({ id: 'NewTemplateAnnotation' });
const parameters = TemplateParameters;
const Instantiation = z.object({ template_id: Id, parameters }).meta({ id: 'TemplateInstantiationRequest' });
const Problem = z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() });

/** For `authorize`: the template in the path, if the caller may read it, or owns it. */
const readable = (context: FleetContext, { params }: { params: { id: string } }) =>
  readableTemplate(context.services, callerOf(context), params.id);
const own = (context: FleetContext, { params }: { params: { id: string } }) => ownTemplate(context.services, callerOf(context), params.id);
const READ = ['templates_not_accessible', 'template_not_found', 'template_not_accessible'] as const;
const OWN = ['template_not_found', 'template_not_owned'] as const;

export const templateEndpoints = [
  endpoint({
    id: 'list_templates',
    method: 'GET',
    path: `${API}/templates`,
    summary: 'List templates, every version',
    tag,
    description: `A generator sees those of the system and its own. ${PAGED}`,
    access: readers,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(LONGEST_PAGE).default(LONGEST_PAGE),
      cursor: cursorParameter((place) => /^(?:[SG]\.)?[0-9a-f-]{36}$/.test(place)),
    }),
    status: 200,
    response: z.array(StackTemplate),
    errors: ['templates_not_accessible'],
    handle: async (context, { query }) => answerPage(await listVisibleTemplates(context.services, callerOf(context), query)),
  }),
  endpoint({
    id: 'create_template',
    method: 'POST',
    path: `${API}/templates`,
    summary: 'Create a template',
    tag,
    description:
      "An admin's template is the system's, which every generator may use; a generator's is its own. A name that the owner has had before gets its next version.",
    access: readers,
    body: NewTemplate,
    bodyLimitBytes: TEXTS_LIMIT_BYTES,
    status: 201,
    response: StackTemplate,
    errors: [
      'templates_not_accessible',
      'invalid_template',
      'invalid_template_syntax',
      'invalid_parameters_schema',
      'foreign_key_violation',
    ],
    handle: (context, { body: { name, ...rest } }) => createTemplate(context.services, callerOf(context), name, rest),
  }),
  endpoint({
    id: 'validate_template',
    method: 'POST',
    path: `${API}/templates/validate`,
    summary: 'Check the texts of a template without storing anything',
    tag,
    access: readers,
    body: TemplateUpdate,
    bodyLimitBytes: TEXTS_LIMIT_BYTES,
    status: 200,
    response: z.object({ valid: z.boolean(), problems: z.array(Problem) }).meta({ id: 'TemplateValidation' }),
    errors: ['templates_not_accessible'],
    async handle(_context, { body }) {
      const problems = problemsOf(body);
      return {
        valid: problems.length === 0,
        problems: problems.map(({ details, ...rest }) => ({ ...rest, ...(details && { details: { ...details } }) })),
      };
    },
  }),
  endpoint({
    id: 'get_template',
    method: 'GET',
    path: `${API}/templates/{id}`,
    summary: 'Fetch a version of a template',
    tag,
    access: readers,
    params: IdParams,
    status: 200,
    response: StackTemplate,
    errors: READ,
    handle: (context, { params }) => getTemplate(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'update_template',
    method: 'PUT',
    path: `${API}/templates/{id}`,
    summary: 'Make the next version of a template',
    tag,
    description: 'The answer is the new version, with an id of its own. Labels and annotations are not copied.',
    access: owner,
    params: IdParams,
    authorize: own,
    body: TemplateUpdate,
    bodyLimitBytes: TEXTS_LIMIT_BYTES,
    status: 200,
    response: StackTemplate,
    errors: [...OWN, 'invalid_template', 'invalid_template_syntax', 'invalid_parameters_schema', 'foreign_key_violation'],
    handle: (context, { body, authorized: head }) => updateTemplate(context.services, callerOf(context), head, body),
  }),
  endpoint({
    id: 'delete_template',
    method: 'DELETE',
    path: `${API}/templates/{id}`,
    summary: 'Delete a version of a template',
    tag,
    access: owner,
    params: IdParams,
    authorize: own,
    status: 204,
    errors: OWN,
    handle: (context, { authorized: head }) => removeTemplate(context.services, callerOf(context), head),
  }),
  endpoint({
    id: 'preview_template',
    method: 'POST',
    path: `${API}/templates/{id}/preview`,
    summary: 'Render a template without storing anything',
    tag,
    description: 'Tells in `problems` why an instantiation would be refused. With `stack_id` it also says whether the stack fits.',
    access: readers,
    params: IdParams,
    authorize: readable,
    body: z.object({ parameters, stack_id: Id.nullish() }).meta({ id: 'TemplatePreviewRequest' }),
    bodyLimitBytes: PARAMETERS_LIMIT_BYTES,
    status: 200,
    response: z.object({ yaml_content: z.string().nullable(), problems: z.array(Problem) }).meta({ id: 'TemplatePreview' }),
    errors: READ,
    handle: (context, { body, authorized: head }) => previewTemplate(context.services, callerOf(context), head, body),
  }),
  endpoint({
    id: 'templates_list_labels',
    method: 'GET',
    path: `${API}/templates/{id}/labels`,
    summary: 'List the labels that a stack needs for a template',
    tag,
    access: readers,
    params: IdParams,
    authorize: readable,
    status: 200,
    response: z.array(TemplateLabel),
    errors: READ,
    handle: ({ services }, { authorized: head }) => listTemplateLabels(services, head),
  }),
  endpoint({
    id: 'templates_add_label',
    method: 'POST',
    path: `${API}/templates/{id}/labels`,
    summary: 'Add a label to a template',
    tag,
    access: owner,
    params: IdParams,
    authorize: own,
    body: DescribedSelector,
    status: 201,
    response: TemplateLabel,
    errors: [...OWN, 'invalid_label', 'unique_violation', 'too_many'],
    handle: (context, { body, authorized: head }) => addTemplateLabel(context.services, callerOf(context), head, body),
  }),
  endpoint({
    id: 'templates_remove_label',
    method: 'DELETE',
    path: `${API}/templates/{id}/labels/{label}`,
    summary: 'Remove a label from a template',
    tag,
    access: owner,
    params: z.object({ id: Id, label: z.string() }),
    authorize: own,
    status: 204,
    errors: [...OWN, 'template_label_not_found'],
    handle: (context, { params, authorized: head }) => removeTemplateLabel(context.services, callerOf(context), head, params.label),
  }),
  endpoint({
    id: 'templates_list_annotations',
    method: 'GET',
    path: `${API}/templates/{id}/annotations`,
    summary: 'List the annotations that a stack needs for a template',
    tag,
    access: readers,
    params: IdParams,
    authorize: readable,
    status: 200,
    response: z.array(TemplateAnnotation),
    errors: READ,
    handle: ({ services }, { authorized: head }) => listTemplateAnnotations(services, head),
  }),
  endpoint({
    id: 'templates_add_annotation',
    method: 'POST',
    path: `${API}/templates/{id}/annotations`,
    summary: 'Add an annotation to a template',
    tag,
    access: owner,
    params: IdParams,
    authorize: own,
    body: NewTemplateAnnotation,
    status: 201,
    response: TemplateAnnotation,
    errors: [...OWN, 'invalid_annotation', 'unique_violation', 'too_many'],
    handle: (context, { body, authorized: head }) => addTemplateAnnotation(context.services, callerOf(context), head, body.key, body.value),
  }),
  endpoint({
    id: 'templates_remove_annotation',
    method: 'DELETE',
    path: `${API}/templates/{id}/annotations/{key}`,
    summary: 'Remove an annotation from a template',
    tag,
    access: owner,
    params: z.object({ id: Id, key: z.string() }),
    authorize: own,
    status: 204,
    errors: [...OWN, 'template_annotation_not_found'],
    handle: (context, { params, authorized: head }) => removeTemplateAnnotation(context.services, callerOf(context), head, params.key),
  }),
  endpoint({
    id: 'instantiate_template',
    method: 'POST',
    path: `${API}/stacks/{id}/deployment-objects/from-template`,
    summary: "Submit a stack's next desired state from a template",
    tag,
    description:
      "Checks in this order: the template and the right to read it, the stack's labels and annotations, the parameters, the rendering, the YAML. Defaults of the schema are filled in before.",
    access: checkedInService('admin or the owning generator', 'admin', 'generator'),
    params: IdParams,
    authorize: ownStack,
    body: Instantiation,
    bodyLimitBytes: PARAMETERS_LIMIT_BYTES,
    status: 201,
    response: DeploymentObject,
    errors: [
      'stack_not_found',
      'stack_not_owned',
      'template_not_found',
      'template_not_accessible',
      'template_stack_mismatch',
      'invalid_parameters',
      'template_render_failed',
      'invalid_deployment_object',
    ],
    handle: (context, { body, authorized: stack }) => instantiateTemplate(context.services, callerOf(context), stack, body),
  }),
  endpoint({
    id: 'get_provenance',
    method: 'GET',
    path: `${API}/deployment-objects/{id}/provenance`,
    summary: 'Say which template and which parameters a deployment object was made from',
    tag,
    access: checkedInService('admin, the owning generator, or an agent that runs the stack', 'admin', 'agent', 'generator'),
    params: IdParams,
    status: 200,
    response: Provenance,
    errors: ['deployment_object_not_found', 'generator_not_associated', 'agent_not_associated', 'provenance_not_found'],
    handle: (context, { params }) => getProvenance(context.services, callerOf(context), params.id),
  }),
];
export const handler = fleetFunction(templateEndpoints);
