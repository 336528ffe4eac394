import * as z from 'zod';
import { fleetError } from '../../lib/fleet/fleet-errors.ts';
import { Stack } from '../../lib/fleet/stacks/stack.ts';
import {
  addStackAnnotation,
  addStackLabel,
  listStackAnnotations,
  listStackLabels,
  removeStackAnnotation,
  removeStackLabel,
  StackAnnotation,
  StackLabel,
} from '../../lib/fleet/stacks/stack-selectors.ts';
import { createStack, listVisibleStacks, removeStack, updateStack } from '../../lib/fleet/stacks/stack-service.ts';
import { DescribedSelector } from '../../lib/fleet/targeting/selector.ts';
import { DescribedName, DescribedText } from '../../lib/platform/names.ts';
import { API, callerOf, checkedInService, endpoint, fleetFunction, Id, IdParams, ownersOnly, ownStack } from './fleet-endpoint.ts';
import { answerPage, NamePageQuery, PAGED } from './list-answer.ts';

const tag = 'stacks';
const owner = ownersOnly('stack_not_owned');
const readers = checkedInService('admin, the owning generator, or an agent with a target to the stack', 'admin', 'agent', 'generator');

const NewStack = z.object({ name: DescribedName, description: DescribedText.nullish(), generator_id: Id }).meta({ id: 'NewStack' });
/** A whole Stack, as clients send it back; only name and description are taken from it. */
const StackUpdate = z
  .object({
    id: Id,
    created_at: z.iso.datetime({ offset: true }),
    updated_at: z.iso.datetime({ offset: true }),
    name: DescribedName,
    description: DescribedText.nullish(),
    generator_id: Id,
  })
  .meta({ id: 'StackUpdate' });
const NewStackAnnotation = z.object({ stack_id: Id, key: DescribedSelector, value: DescribedSelector }).meta({ id: 'NewStackAnnotation' });

export const stackEndpoints = [
  endpoint({
    id: 'list_stacks',
    method: 'GET',
    path: `${API}/stacks`,
    summary: 'List stacks',
    tag,
    description: `Admins see all stacks, or one tenant's with \`pak_id\`; a generator sees its own. ${PAGED}`,
    access: ownersOnly('stacks_list_denied'),
    query: NamePageQuery.extend({ pak_id: Id.optional() }),
    status: 200,
    response: z.array(Stack),
    errors: ['stacks_list_denied'],
    handle: async (context, { query: { pak_id: tenant, ...page } }) =>
      answerPage(await listVisibleStacks(context.services, callerOf(context), { tenant, ...page })),
  }),
  endpoint({
    id: 'create_stack',
    method: 'POST',
    path: `${API}/stacks`,
    summary: 'Create a stack',
    tag,
    description: 'Names are unique among the live stacks of one generator.',
    access: ownersOnly('stack_create_denied'),
    body: NewStack,
    status: 201,
    response: Stack,
    errors: ['stack_create_denied', 'stack_generator_mismatch', 'invalid_stack', 'unique_violation', 'foreign_key_violation'],
    handle: (context, { body }) => createStack(context.services, callerOf(context), body),
  }),
  endpoint({
    id: 'get_stack',
    method: 'GET',
    path: `${API}/stacks/{id}`,
    summary: 'Fetch a stack',
    tag,
    access: checkedInService('admin or the owning generator', 'admin', 'generator'),
    params: IdParams,
    authorize: ownStack,
    status: 200,
    response: Stack,
    errors: ['stack_not_found', 'stack_not_owned'],
    handle: async (_context, { authorized: stack }) => stack,
  }),
  endpoint({
    id: 'update_stack',
    method: 'PUT',
    path: `${API}/stacks/{id}`,
    summary: 'Rename or describe a stack',
    tag,
    description: 'Takes a whole Stack; its owner and times do not change. A description of null clears it.',
    access: checkedInService('admin or the owning generator', 'admin', 'generator'),
    params: IdParams,
    authorize: ownStack,
    body: StackUpdate,
    status: 200,
    response: Stack,
    errors: ['stack_id_mismatch', 'stack_not_found', 'stack_not_owned', 'invalid_stack', 'unique_violation'],
    async handle(context, { params, body, authorized: stack }) {
      if (body.id !== params.id) throw fleetError('stack_id_mismatch');
      return updateStack(context.services, callerOf(context), stack, body);
    },
  }),
  endpoint({
    id: 'delete_stack',
    method: 'DELETE',
    path: `${API}/stacks/{id}`,
    summary: 'Delete a stack',
    tag,
    description: 'Withdraws it from every agent, even if an agent is offline at the time.',
    access: checkedInService('admin or the owning generator', 'admin', 'generator'),
    params: IdParams,
    authorize: ownStack,
    status: 204,
    errors: ['stack_not_found', 'stack_not_owned'],
    handle: (context, { authorized: stack }) => removeStack(context.services, callerOf(context), stack),
  }),
  endpoint({
    id: 'stacks_list_labels',
    method: 'GET',
    path: `${API}/stacks/{id}/labels`,
    summary: "List a stack's labels",
    tag,
    access: readers,
    params: IdParams,
    status: 200,
    response: z.array(StackLabel),
    errors: ['stack_not_found', 'stack_not_accessible'],
    handle: (context, { params }) => listStackLabels(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'stacks_add_label',
    method: 'POST',
    path: `${API}/stacks/{id}/labels`,
    summary: 'Label a stack',
    tag,
    description: 'The body is the label: a bare JSON string.',
    access: owner,
    params: IdParams,
    authorize: ownStack,
    body: DescribedSelector,
    status: 201,
    response: StackLabel,
    errors: ['stack_not_found', 'stack_not_owned', 'invalid_label', 'unique_violation', 'too_many'],
    handle: (context, { body, authorized: stack }) => addStackLabel(context.services, callerOf(context), stack, body),
  }),
  endpoint({
    id: 'stacks_remove_label',
    method: 'DELETE',
    path: `${API}/stacks/{id}/labels/{label}`,
    summary: 'Remove a label from a stack',
    tag,
    access: owner,
    params: z.object({ id: Id, label: z.string() }),
    authorize: ownStack,
    status: 204,
    errors: ['stack_not_found', 'stack_not_owned', 'stack_label_not_found'],
    handle: (context, { params, authorized: stack }) => removeStackLabel(context.services, callerOf(context), stack, params.label),
  }),
  endpoint({
    id: 'stacks_list_annotations',
    method: 'GET',
    path: `${API}/stacks/{id}/annotations`,
    summary: "List a stack's annotations",
    tag,
    access: readers,
    params: IdParams,
    status: 200,
    response: z.array(StackAnnotation),
    errors: ['stack_not_found', 'stack_not_accessible'],
    handle: (context, { params }) => listStackAnnotations(context.services, callerOf(context), params.id),
  }),
  endpoint({
    id: 'stacks_add_annotation',
    method: 'POST',
    path: `${API}/stacks/{id}/annotations`,
    summary: 'Annotate a stack',
    tag,
    access: owner,
    params: IdParams,
    authorize: ownStack,
    body: NewStackAnnotation,
    status: 201,
    response: StackAnnotation,
    errors: ['stack_not_found', 'stack_not_owned', 'stack_id_mismatch', 'invalid_annotation', 'unique_violation', 'too_many'],
    async handle(context, { params, body, authorized: stack }) {
      if (body.stack_id !== params.id) throw fleetError('stack_id_mismatch');
      return addStackAnnotation(context.services, callerOf(context), stack, body.key, body.value);
    },
  }),
  endpoint({
    id: 'stacks_remove_annotation',
    method: 'DELETE',
    path: `${API}/stacks/{id}/annotations/{key}`,
    summary: 'Remove an annotation from a stack',
    tag,
    access: owner,
    params: z.object({ id: Id, key: z.string() }),
    authorize: ownStack,
    status: 204,
    errors: ['stack_not_found', 'stack_not_owned', 'stack_annotation_not_found'],
    handle: (context, { params, authorized: stack }) => removeStackAnnotation(context.services, callerOf(context), stack, params.key),
  }),
];
export const handler = fleetFunction(stackEndpoints);
