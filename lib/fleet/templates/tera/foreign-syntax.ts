/** Says that the inside of a `{{ … }}` looks like another template language, and what to do; undefined if it doesn't. */
export function foreignSyntax(inside: string): string | undefined {
  const text = inside.trimStart();
  if (/^[#^/>&!]/.test(text) || inside.startsWith('{'))
    return 'this looks like mustache: set the template\'s engine to "mustache", or write it in Tera';
  if (/^(?:\.\w|\$|\.\s*$|(?:include|template|define)\s+"|(?:else\s+)?(?:if|with|range)\s+[.$(]|toYaml\s)/.test(text))
    return 'this looks like a Go template, as Helm has it: Tera writes {{ name }}, {% if name %}…{% endif %} and {% for x in list %}…{% endfor %}';
  return undefined;
}
