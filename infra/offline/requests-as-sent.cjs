const { subscribe } = require('node:diagnostics_channel');

/**
 * serverless-offline takes a slash off the end of a path, which API Gateway leaves there, and the quotes off a body that is one JSON
 * string. Node tells of each request before it is served: what makes serverless-offline do either is hidden from it here. The function
 * sees the request as it was sent.
 */
function keepAsSent({ request }) {
  const [path, ...query] = request.url.split('?');
  if (path.length > 1 && path.endsWith('/')) request.url = [`${path}/`, ...query].join('?');
  // The function's headers are made of the raw ones; these here decide what is parsed on the way.
  if (request.headers['content-type']?.startsWith('application/json')) request.headers['content-type'] = 'text/plain; charset=utf-8';
}

module.exports = class RequestsAsSent {
  constructor() {
    this.hooks = { 'before:offline:start': () => subscribe('http.server.request.start', keepAsSent) };
  }
};
