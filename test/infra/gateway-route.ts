/** Parameters that are people's own texts, and may have a `/` in them: API Gateway decodes `%2F` before it looks for a route. */
const TEXTS = /\{(label|key)\}$/;

/**
 * The route that serves an endpoint's path. Methods are left to the function, which has its own 401 and 405; a path that ends in a slash
 * cannot be a route of API Gateway's, but for the root itself.
 */
export const gatewayRoute = (path: string): string =>
  path !== '/' && path.endsWith('/') ? '$default' : `ANY ${path.replace(TEXTS, '{$1+}')}`;
