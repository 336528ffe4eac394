import * as z from 'zod';
import {
  createDeploymentObject,
  getDeploymentObject,
  listDeploymentObjects,
  OBJECTS_A_PAGE,
} from '../../lib/fleet/deployment-objects/deployment-object-service.ts';
import { DeploymentObject } from '../../lib/fleet/protocol/agent-protocol.ts';
import { reply } from '../../lib/platform/http/endpoint.ts';
import { cursorParameter } from '../../lib/platform/list-cursor.ts';
import { deploymentObjectBody, NewDeploymentObject, OBJECT_BODY_LIMIT_BYTES } from './deployment-object-body.ts';
import { API, callerOf, checkedInService, endpoint, fleetFunction, IdParams, ownStack } from './fleet-endpoint.ts';
import { answerPage, PAGED } from './list-answer.ts';

const tag = 'deployment objects';
const owner = checkedInService('admin or the owning generator', 'admin', 'generator');

export const deploymentObjectEndpoints = [
  endpoint({
    id: 'list_deployment_objects',
    method: 'GET',
    path: `${API}/stacks/{id}/deployment-objects`,
    summary: "List a stack's deployment objects, newest first",
    tag,
    description: `One answer contains at most ${OBJECTS_A_PAGE} of them. ${PAGED}`,
    access: owner,
    params: IdParams,
    authorize: ownStack,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(OBJECTS_A_PAGE).default(OBJECTS_A_PAGE),
      cursor: cursorParameter((place) => /^\d{1,16}$/.test(place)),
    }),
    status: 200,
    response: z.array(DeploymentObject),
    errors: ['stack_not_found', 'stack_not_owned'],
    handle: async (context, { query, authorized: stack }) =>
      answerPage(await listDeploymentObjects(context.services, callerOf(context), stack, query)),
  }),
  endpoint({
    id: 'create_deployment_object',
    method: 'POST',
    path: `${API}/stacks/{id}/deployment-objects`,
    summary: "Submit a stack's next desired state",
    tag,
    description:
      'Send JSON, or the YAML itself with a YAML content type and, for a deletion marker, `?deletion_marker=true`. The YAML is stored byte for byte. Agents run the newest deployment object. A deletion marker removes everything that the stack has in the clusters.',
    access: owner,
    params: IdParams,
    authorize: ownStack,
    query: z.object({ deletion_marker: z.enum(['true', 'false']).optional() }),
    body: NewDeploymentObject,
    bodyFormat: deploymentObjectBody,
    bodyLimitBytes: OBJECT_BODY_LIMIT_BYTES,
    status: 201,
    response: DeploymentObject,
    errors: ['stack_not_found', 'stack_not_owned', 'invalid_deployment_object'],
    handle: (context, { body, authorized: stack }) =>
      createDeploymentObject(context.services, callerOf(context), stack, {
        yaml_content: body.yaml_content,
        is_deletion_marker: body.is_deletion_marker ?? false,
      }),
  }),
  endpoint({
    id: 'get_deployment_object',
    method: 'GET',
    path: `${API}/deployment-objects/{id}`,
    summary: 'Fetch a deployment object',
    tag,
    description: 'With `Accept: application/yaml` the answer is the YAML itself.',
    access: checkedInService('admin, the owning generator, or an agent that runs the stack', 'admin', 'agent', 'generator'),
    params: IdParams,
    status: 200,
    response: DeploymentObject,
    errors: ['deployment_object_not_found', 'generator_not_associated', 'agent_not_associated'],
    async handle(context, { params }) {
      const deploymentObject = await getDeploymentObject(context.services, callerOf(context), params.id);
      if (!/^application\/yaml\b/i.test(context.request.headers.accept ?? '')) return deploymentObject;
      return reply<z.input<typeof DeploymentObject>>({
        headers: { 'content-type': 'application/yaml' },
        text: deploymentObject.yaml_content,
      });
    },
  }),
];
export const handler = fleetFunction(deploymentObjectEndpoints);
