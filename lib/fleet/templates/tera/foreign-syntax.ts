/** Says that the inside of a tag looks like another template language, and what to do; undefined if it doesn't. */
export function foreignSyntax(inside: string): string | undefined {
  const text = inside.trim();
  if (/^[#^/>&!{]/.test(text)) return 'this looks like mustache: set the template\'s engine to "mustache", or write it in Tera';
  if (/^(?:\.\s*\w|\$|\.$|template\s|define\s|with\s|range\s+[.$]|if\s+[.$]|end$|toYaml\b)/.test(text))
    return 'this looks like a Go template, as Helm has it: Tera writes {{ name }}, {% if name %}…{% endif %} and {% for x in list %}…{% endfor %}';
  return undefined;
}
