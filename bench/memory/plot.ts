/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const [width, height, left, top, right, bottom] = [640, 400, 70, 40, 45, 50];

/** Curves over two logarithmic axes, as SVG. */
export function logLog(
  title: string,
  axes: { readonly x: string; readonly y: string },
  curves: readonly { readonly name: string; readonly color: string; readonly points: readonly Point[] }[],
): string {
  const all = curves.flatMap(({ points }) => points);
  const [xs, ys] = [range(all.map(({ x }) => x)), range(all.map(({ y }) => y))];
  const px = (x: number): number => left + ((Math.log10(x) - xs.from) / (xs.to - xs.from)) * (width - left - right);
  const py = (y: number): number =>
    height - bottom - ((Math.log10(y) - ys.from) / (ys.to - ys.from)) * (height - top - bottom);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="22" font-size="14" font-weight="600">${title}</text>`,
    `<text x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">${axes.x}</text>`,
    `<text x="16" y="${(top + height - bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 ${(top + height - bottom) / 2})">${axes.y}</text>`,
  ];
  for (let power = xs.from; power <= xs.to; power++) {
    const x = px(10 ** power).toFixed(1);
    parts.push(`<path d="M${x} ${top}V${height - bottom}" stroke="#ddd"/>`);
    parts.push(`<text x="${x}" y="${height - bottom + 18}" text-anchor="middle">${label(power)}</text>`);
  }
  for (let power = ys.from; power <= ys.to; power++) {
    const y = py(10 ** power).toFixed(1);
    parts.push(`<path d="M${left} ${y}H${width - right}" stroke="#ddd"/>`);
    parts.push(`<text x="${left - 8}" y="${Number(y) + 4}" text-anchor="end">${label(power)}</text>`);
  }
  for (const [place, { name, color, points }] of curves.entries()) {
    const path = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('');
    parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
    for (const { x, y } of points)
      parts.push(`<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="3" fill="${color}"/>`);
    // Beside the title, where no curve is.
    const y = 22 + place * 16;
    parts.push(`<text x="${width - right}" y="${y}" text-anchor="end" fill="${color}">${name}</text>`);
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

function range(values: readonly number[]): { readonly from: number; readonly to: number } {
  return { from: Math.floor(Math.log10(Math.min(...values))), to: Math.ceil(Math.log10(Math.max(...values))) };
}

function label(power: number): string {
  return power >= 0 ? (10 ** power).toLocaleString('en-US') : (10 ** power).toFixed(-power);
}
