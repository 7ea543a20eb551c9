import { escapeXML } from './xml.js';

/** Mid tones with a contrast of at least 3:1 on white and on black: a chart has no background of its own. */
export const ink = '#767676';
export const blue = '#2f7ec4';
export const orange = '#d9661f';
const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** In pixels, with a heading where the caller wants another than that of the input. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly title: string | undefined;
}

interface Head {
  readonly width: number;
  readonly height: number;
  readonly heading: string;
  /** What a reader who does not see it should know. */
  readonly description: string;
  /** Where the heading begins. */
  readonly left: number;
}

/** A self-contained document of drawn parts, with name and description for screen readers; texts are escaped. */
export function svgDocument({ width, height, heading, description, left }: Head, parts: readonly string[]): string {
  const name = escapeXML(heading);
  const text = escapeXML(description);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}. ${text}" font-family="${font}" font-size="12" fill="${ink}">
<title>${name}</title>
<desc>${text}</desc>
<text x="${left}" y="26" font-size="17" font-weight="600">${escapeXML(shortened(heading, (width - 24 - left) / 9.5))}</text>
${parts.filter((part) => part !== '').join('\n')}
</svg>
`;
}

/** A text in so many characters at most, the last one an ellipsis. */
export function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, Math.max(1, Math.floor(most) - 1)).join('')}…` : text;
}

/** A coordinate to a tenth of a pixel. */
export function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
