const { subscribe } = require('node:diagnostics_channel');

/**
 * serverless-offline removes a slash from the end of a path, which API Gateway keeps, and the quotes of a body that is one JSON string.
 * Node announces each request before it is served, so the request is changed here in a way that prevents both. The function gets the
 * request as it was sent.
 */
function keepAsSent({ request }) {
  const [path, ...query] = request.url.split('?');
  if (path.length > 1 && path.endsWith('/')) request.url = [`${path}/`, ...query].join('?');
  // The function gets the raw headers. The parsed ones only decide how serverless-offline parses the body.
  if (request.headers['content-type']?.startsWith('application/json')) request.headers['content-type'] = 'text/plain; charset=utf-8';
}

module.exports = class RequestsAsSent {
  constructor() {
    this.hooks = { 'before:offline:start': () => subscribe('http.server.request.start', keepAsSent) };
  }
};
