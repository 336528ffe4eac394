import type { Target } from '../adapter.ts';

/**
 * The address of a model's method. Tools, system instructions and streams are in `v1beta`, so a base address without a version, or with `v1`,
 * gets that one. Any other path is kept, such as that of a proxy.
 */
export function geminiUrl({ base_url, model }: Target, method: string): string {
  const base = base_url.replace(/\/+$/, '');
  const path = base.replace(/^https?:\/\/[^/]+/, '');
  const versioned = path === '' ? `${base}/v1beta` : path === '/v1' ? `${base}beta` : base;
  return `${versioned}/${modelPath(model)}:${method}`;
}

/** `models/gemini-2.5-pro`. A name that has a kind already, such as `tunedModels/x`, is kept. */
export const modelPath = (model: string): string => {
  const parts = (/^(models|tunedModels)\//.test(model) ? model : `models/${model}`).split('/');
  return parts.map(encodeURIComponent).join('/');
};
