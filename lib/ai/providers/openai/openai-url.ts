import type { Target } from '../adapter.ts';

/**
 * The address of an operation. Azure has two forms: its newer surface is `…/openai/v1`; with an `api-version` in the base address, the
 * model is the deployment in the path.
 */
export function openaiUrl({ type, base_url, model }: Target, operation: string): string {
  const [before = '', query = ''] = base_url.split('?', 2);
  const base = before.replace(/\/+$/, '');
  if (type !== 'azure') return `${base}/${operation}${query === '' ? '' : `?${query}`}`;
  const root = base.replace(/\/openai(\/v1)?$/, '');
  if (!/(^|&)api-version=(?!preview(&|$)|v1(&|$))/.test(query)) return `${root}/openai/v1/${operation}${query === '' ? '' : `?${query}`}`;
  return `${root}/openai/deployments/${encodeURIComponent(model)}/${operation}?${query}`;
}
