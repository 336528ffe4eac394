import * as z from 'zod';
import { Budget, BudgetChange, NewBudget, type StoredBudget } from '../../lib/ai/limits/budget.ts';
import { createBudget, findBudget, listBudgets, readBudget, removeBudget, updateBudget } from '../../lib/ai/limits/budget-service.ts';
import { Ulid } from '../../lib/identity/accounts/account-schemas.ts';
import type { Permission } from '../../lib/identity/accounts/roles.ts';
import {
  API,
  callerOf,
  checkMeant,
  type DashboardContext,
  dashboardEndpoint,
  dashboardFunction,
  inMeantOrganization,
  once,
} from '../identity/dashboard-endpoint.ts';
import { PageQuery, pagedAnswer } from '../identity/paged-answer.ts';

const tag = 'budgets';
const BudgetParams = z.object({ budget_id: Ulid });

/** The budget in the path, in the organization that the request means, for a caller with the permission there. */
const ofBudget = (permission: Permission) => ({
  access: inMeantOrganization(permission).access,
  async authorize(context: DashboardContext, { params }: { params: { budget_id: string } }): Promise<StoredBudget> {
    const { headers } = context.request;
    const meant = { organization_id: headers['x-organization-id'], project_id: headers['x-project-id'] };
    const { organization } = await checkMeant(context, permission, meant);
    return findBudget(context.services, organization.id, params.budget_id);
  },
});

export const budgetEndpoints = [
  dashboardEndpoint({
    id: 'list_budgets',
    method: 'GET',
    path: `${API}/budgets`,
    summary: "List the organization's budgets",
    tag,
    ...inMeantOrganization('billing:read'),
    query: PageQuery,
    status: 200,
    response: z.array(Budget),
    errors: ['ORG_NOT_FOUND'],
    handle: async ({ services }, { query, authorized }) => pagedAnswer(await listBudgets(services, authorized.organization.id), query),
  }),
  dashboardEndpoint({
    id: 'create_budget',
    method: 'POST',
    path: `${API}/budgets`,
    summary: 'Limit what an organization, a project or an API key may spend',
    description:
      'Several budgets may limit one call: all of them are reserved before it is sent, or none. A new budget holds everywhere within five seconds. Takes an `Idempotency-Key`.',
    tag,
    ...inMeantOrganization('settings:write'),
    body: NewBudget,
    status: 201,
    response: Budget,
    errors: ['ORG_NOT_FOUND', 'LIMIT_REACHED', 'IDEMPOTENCY_CONFLICT'],
    handle: (context, { body, authorized: { organization } }) =>
      once(context, { organization_id: organization.id, input: body }, (services) =>
        createBudget(services, callerOf(context), organization.id, body),
      ),
  }),
  dashboardEndpoint({
    id: 'get_budget',
    method: 'GET',
    path: `${API}/budgets/{budget_id}`,
    summary: 'Fetch a budget with what is spent and reserved in this period',
    tag,
    ...ofBudget('billing:read'),
    params: BudgetParams,
    status: 200,
    response: Budget,
    errors: ['BUDGET_NOT_FOUND'],
    handle: ({ services }, { authorized }) => readBudget(services, authorized),
  }),
  dashboardEndpoint({
    id: 'update_budget',
    method: 'PATCH',
    alsoBy: ['PUT'],
    path: `${API}/budgets/{budget_id}`,
    summary: "Change a budget's limit",
    description: 'The new limit holds at once, also for the period that has begun.',
    tag,
    ...ofBudget('settings:write'),
    params: BudgetParams,
    body: BudgetChange,
    status: 200,
    response: Budget,
    errors: ['BUDGET_NOT_FOUND'],
    handle: (context, { body, authorized }) => updateBudget(context.services, callerOf(context), authorized, body.limit_usd),
  }),
  dashboardEndpoint({
    id: 'delete_budget',
    method: 'DELETE',
    path: `${API}/budgets/{budget_id}`,
    summary: 'Remove a budget',
    tag,
    ...ofBudget('settings:write'),
    params: BudgetParams,
    status: 204,
    errors: ['BUDGET_NOT_FOUND'],
    handle: (context, { authorized }) => removeBudget(context.services, callerOf(context), authorized),
  }),
];
export const handler = dashboardFunction(budgetEndpoints);
