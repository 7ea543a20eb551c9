import { createRequire } from 'node:module';
import { ConfigurationError, ValidationError } from '@safla/sdk/core';
import { sanitizeHTML } from '@safla/sdk/security';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../support/properties.js';

interface Node {
  readonly nodeName: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Node[];
}
/** By another parser than the one that cleans: the one of the standard. */
const { parseFragment } = createRequire(import.meta.url)('parse5') as { parseFragment(html: string): Node };

/** Browsers skip them in the scheme of a URL. */
function withoutControls(text: string): string {
  return [...text].filter((character) => character > ' ').join('');
}

/** What a browser could run or load in this HTML. */
function active(html: string): string[] {
  const found: string[] = [];
  const visit = (node: Node): void => {
    if (
      /^(script|style|svg|math|iframe|object|embed|template|form|base|meta|link|xmp|noscript|img|input|video)$/.test(
        node.nodeName,
      )
    )
      found.push(node.nodeName);
    for (const { name, value } of node.attrs ?? [])
      if (/^on|^style$|^srcdoc$/i.test(name) || /^(?:javascript|data|vbscript):/i.test(withoutControls(value)))
        found.push(name);
    for (const child of node.childNodes ?? []) visit(child);
  };
  visit(parseFragment(html));
  return found;
}

const attacks = [
  '<script>alert(1)</script>',
  '<scr<script></script>ipt>alert(1)</scr</script>ipt>',
  '<script src=//evil></script >',
  '<script>alert(1)',
  '<script\n>alert(1)</script\n>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href=" &#14; javascript:alert(1)">x</a>',
  '<a href="java\tscript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>1</script>">x</a>',
  '<a href="vbscript:x">x</a>',
  '<a href="//evil.example">x</a>',
  '<iframe srcdoc="<script>1</script>"></iframe>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<xmp><img src=x onerror=alert(1)></xmp>',
  '<xmp></xmp><script>1</script>',
  '<textarea><script>1</script></textarea>',
  '<title><img src=x onerror=1></title>',
  '<style>@import "javascript:alert(1)";</style>',
  '<p style="background:url(javascript:alert(1))">x</p>',
  '<b onmouseover=alert(1)>x</b>',
  '<b/onclick=alert(1)//>x',
  '<object data="javascript:alert(1)">',
  '<embed src="javascript:alert(1)">',
  '<base href="javascript:/a/">',
  '<meta http-equiv=refresh content="0;url=javascript:1">',
  '<template><script>1</script></template>',
  '<!--><script>alert(1)</script>-->',
  '<!-- --!><script>alert(1)</script>',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?xml <script>alert(1)</script>?>',
  '</p/onclick=alert(1)><script>1</script>',
  '<a"b"onclick=alert(1)>x',
  '<a href=x\0 onclick=alert(1)>x</a>',
  '<scr\0ipt>alert(1)</scr\0ipt>',
  '<plaintext><script>1</script>',
  '<select><option><style></option></select><img src=x onerror=1></style>',
  '<isindex action=javascript:1 type=image>',
  '<video><source onerror=alert(1)>',
  '<a title="&quot; onclick=&quot;alert(1)">x</a>',
  '<a title="--><script>1</script>">x</a>',
  '<<script>alert(1)//<</script>',
  '<table background="javascript:1"><td>x',
];

describe('sanitizeHTML', () => {
  it.each(attacks)('leaves nothing active of %s', (attack) => {
    const clean = sanitizeHTML(attack);
    expect(active(clean)).toEqual([]);
    expect(sanitizeHTML(clean)).toBe(clean);
  });

  it('leaves nothing active of attacks put together, and what it gives is stable', () => {
    const pieces = [
      ...attacks,
      ...attacks.flatMap((a) => [a.slice(0, a.length / 2), a.slice(a.length / 2)]),
      '<b>',
      '</b>',
      '<p>',
      '</p>',
      '<table>',
      '<td>',
      'x',
      '&lt;',
      '&amp;lt;',
      '"',
      "'",
      '<',
      '>',
      '&',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 6 }), (parts) => {
        const clean = sanitizeHTML(parts.join(''));
        expect(active(clean)).toEqual([]);
        expect(sanitizeHTML(clean)).toBe(clean);
      }),
    );
  });

  it('keeps text, structure and links', () => {
    const html =
      '<h1>Hi</h1><p>a <b>b</b> &lt;c&gt; &amp; d<br />e</p><ul><li><a href="https://x.example/?a=1&amp;b=2" title="t">x</a></li></ul><table><tbody><tr><td colspan="2">1</td></tr></tbody></table>';
    expect(sanitizeHTML(html)).toBe(html);
    expect(sanitizeHTML('a < b & c')).toBe('a &lt; b &amp; c');
    expect(sanitizeHTML('')).toBe('');
    expect(sanitizeHTML('<a href="/local">x</a>')).toBe('<a href="/local">x</a>');
  });

  it('takes a policy, and refuses one that cannot be made safe', () => {
    expect(sanitizeHTML('<p>a <b class="x">b</b></p>', { tags: ['b'] })).toBe('a <b>b</b>');
    expect(sanitizeHTML('<b class="x">b</b>', { tags: ['b'], attributes: { b: ['class'] } })).toBe(
      '<b class="x">b</b>',
    );
    expect(sanitizeHTML('<a href="mailto:a@b">x</a>', { schemes: ['https'] })).toBe('<a>x</a>');
    for (const policy of [
      { tags: ['script'] },
      { tags: ['svg'] },
      { tags: ['b', 'style'] },
      { tags: ['x-y'] },
      { attributes: { '*': ['onclick'] } },
      { attributes: { b: ['style'] } },
      { attributes: { a: ['data-*'] } },
      { schemes: ['javascript'] },
      { schemes: ['data'] },
      { maxDepth: 0 },
      { tag: ['b'] },
    ])
      expect(() => sanitizeHTML('x', policy as never)).toThrow(ConfigurationError);
  });

  it.each([[undefined], [null], [7], [{}], [['<b>']]])('refuses %o', (input) => {
    expect(() => sanitizeHTML(input as never)).toThrow(ValidationError);
  });

  it('gives what is nested too deep, or too long, no time', () => {
    expect(sanitizeHTML(`${'<b>'.repeat(100)}x`)).toContain('<b>');
    expect(sanitizeHTML(`${'<b>'.repeat(101)}x`)).toBe(`${'&lt;b&gt;'.repeat(101)}x`);
    expect(() => sanitizeHTML('x'.repeat(1_048_577))).toThrow(ValidationError);
  });

  const hostile = [
    '<b>',
    '<script',
    '<script>',
    '<!--',
    '</b>',
    '<a ',
    '<a href="',
    '&',
    '&amp',
    '<',
    '</',
    '<![CDATA[',
    '<p><b>',
    '<b></b>',
    '<b><!--</b>-->',
    '<p>',
    '<td>',
    '<x>',
    '<a a=1 b=2>',
    "<b x='",
    '"',
    '<textarea>',
    '<xmp>',
    '<svg>',
    '<li>',
    '<?',
    '<!',
    '\u0000',
    '<a href=javascript:>',
    ' onx=1',
  ];

  it.each(hostile)('takes a megabyte of %j in time that grows with the length', (piece) => {
    const cpu = (length: number): number => {
      const text = (piece.startsWith(' on') ? '<a' : '') + piece.repeat(Math.floor((length - 2) / piece.length));
      const before = process.cpuUsage();
      sanitizeHTML(text);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    cpu(20_000);
    const [part, whole] = [cpu(131_072), cpu(1_048_576)];
    // Eight times the text: a square law would take 64 times as long.
    expect(whole).toBeLessThan(Math.max(part * 24, 250));
  });
});
