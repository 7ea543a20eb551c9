;; Upper bounds of the scores of int8-coded rows, four rows at a time.
;;
;; For each row r the bound is alpha * scale[r] * <query, codes[r]> + beta * error[r] + offset[r]; the
;; rows whose bound is not below `least` are written to `out`, their bounds to `bounds`. "Not below"
;; also lets NaN through: what cannot be bounded is looked at. Codes are int8 and the query int16, both padded
;; with zeros to `stride` components, a multiple of 8. Rows stand four by four, eight components of each in
;; turn: one place to read from, in the order of memory. The caller keeps the sums within int32.
(module
  (import "safla" "memory" (memory 1))

  ;; Rows [from, to), both multiples of 4. Gives the number of rows written.
  (func (export "scan")
    (param $codes i32) (param $stride i32) (param $query i32)
    (param $scales i32) (param $errors i32) (param $offsets i32)
    (param $from i32) (param $to i32)
    (param $alpha f32) (param $beta f32) (param $least f32)
    (param $out i32) (param $bounds i32) (result i32)
    (local $row i32) (local $end i32) (local $next i32) (local $q i32) (local $at i32) (local $mask i32) (local $gap i32)
    (local $p i32) (local $half i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $w v128) (local $v v128)
    (local $alphas v128) (local $betas v128) (local $leasts v128)
    (local.set $alphas (f32x4.splat (local.get $alpha)))
    (local.set $betas (f32x4.splat (local.get $beta)))
    (local.set $leasts (f32x4.splat (local.get $least)))
    (local.set $next (local.get $out))
    ;; A row's bound stands this far behind the row.
    (local.set $gap (i32.sub (local.get $bounds) (local.get $out)))
    (local.set $row (local.get $from))
    (local.set $half (i32.and (local.get $stride) (i32.const 8)))
    (local.set $end (i32.add (local.get $query) (i32.shl (i32.sub (local.get $stride) (local.get $half)) (i32.const 1))))
    (local.set $p (i32.add (local.get $codes) (i32.mul (local.get $row) (local.get $stride))))
    (block $done
      (loop $rows
        (br_if $done (i32.ge_u (local.get $row) (local.get $to)))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $b (v128.const i32x4 0 0 0 0))
        (local.set $c (v128.const i32x4 0 0 0 0))
        (local.set $d (v128.const i32x4 0 0 0 0))
        (local.set $q (local.get $query))
        (block $whole
          (loop $components
            (br_if $whole (i32.ge_u (local.get $q) (local.get $end)))
            (local.set $w (v128.load (local.get $q)))
            (local.set $v (v128.load offset=16 (local.get $q)))
            (local.set $a (i32x4.add (local.get $a) (i32x4.add
              (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $p)) (local.get $w))
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=32 (local.get $p)) (local.get $v)))))
            (local.set $b (i32x4.add (local.get $b) (i32x4.add
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $p)) (local.get $w))
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=40 (local.get $p)) (local.get $v)))))
            (local.set $c (i32x4.add (local.get $c) (i32x4.add
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=16 (local.get $p)) (local.get $w))
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=48 (local.get $p)) (local.get $v)))))
            (local.set $d (i32x4.add (local.get $d) (i32x4.add
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=24 (local.get $p)) (local.get $w))
              (i32x4.dot_i16x8_s (v128.load8x8_s offset=56 (local.get $p)) (local.get $v)))))
            (local.set $p (i32.add (local.get $p) (i32.const 64)))
            (local.set $q (i32.add (local.get $q) (i32.const 32)))
            (br $components)))
        (if (local.get $half)
          (then
            (local.set $w (v128.load (local.get $q)))
            (local.set $a (i32x4.add (local.get $a) (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $p)) (local.get $w))))
            (local.set $b (i32x4.add (local.get $b) (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $p)) (local.get $w))))
            (local.set $c (i32x4.add (local.get $c) (i32x4.dot_i16x8_s (v128.load8x8_s offset=16 (local.get $p)) (local.get $w))))
            (local.set $d (i32x4.add (local.get $d) (i32x4.dot_i16x8_s (v128.load8x8_s offset=24 (local.get $p)) (local.get $w))))
            (local.set $p (i32.add (local.get $p) (i32.const 32)))))
        ;; One sum for each row: transpose the four accumulators while adding.
        (local.set $w (i32x4.add
          (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
          (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))
        (local.set $v (i32x4.add
          (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d))
          (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d))))
        (local.set $w (i32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $w) (local.get $v))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $w) (local.get $v))))
        (local.set $at (i32.shl (local.get $row) (i32.const 2)))
        (local.set $w (f32x4.mul
          (f32x4.mul (f32x4.convert_i32x4_s (local.get $w)) (local.get $alphas))
          (v128.load (i32.add (local.get $scales) (local.get $at)))))
        (local.set $w (f32x4.add (local.get $w) (f32x4.add
          (f32x4.mul (local.get $betas) (v128.load (i32.add (local.get $errors) (local.get $at))))
          (v128.load (i32.add (local.get $offsets) (local.get $at))))))
        (local.set $mask (i32x4.bitmask (v128.not (f32x4.lt (local.get $w) (local.get $leasts)))))
        (if (local.get $mask)
          (then
            (i32.store (local.get $next) (local.get $row))
            (f32.store (i32.add (local.get $next) (local.get $gap)) (f32x4.extract_lane 0 (local.get $w)))
            (local.set $next (i32.add (local.get $next) (i32.and (i32.shl (local.get $mask) (i32.const 2)) (i32.const 4))))
            (i32.store (local.get $next) (i32.add (local.get $row) (i32.const 1)))
            (f32.store (i32.add (local.get $next) (local.get $gap)) (f32x4.extract_lane 1 (local.get $w)))
            (local.set $next (i32.add (local.get $next) (i32.and (i32.shl (local.get $mask) (i32.const 1)) (i32.const 4))))
            (i32.store (local.get $next) (i32.add (local.get $row) (i32.const 2)))
            (f32.store (i32.add (local.get $next) (local.get $gap)) (f32x4.extract_lane 2 (local.get $w)))
            (local.set $next (i32.add (local.get $next) (i32.and (local.get $mask) (i32.const 4))))
            (i32.store (local.get $next) (i32.add (local.get $row) (i32.const 3)))
            (f32.store (i32.add (local.get $next) (local.get $gap)) (f32x4.extract_lane 3 (local.get $w)))
            (local.set $next (i32.add (local.get $next) (i32.and (i32.shr_u (local.get $mask) (i32.const 1)) (i32.const 4))))))
        (local.set $row (i32.add (local.get $row) (i32.const 4)))
        (br $rows)))
    (i32.shr_u (i32.sub (local.get $next) (local.get $out)) (i32.const 2)))

  ;; The `count` rows listed at `list`; `out` may be the same place. Gives the number of rows written.
  (func (export "scanListed")
    (param $codes i32) (param $stride i32) (param $query i32)
    (param $scales i32) (param $errors i32) (param $offsets i32)
    (param $list i32) (param $count i32)
    (param $alpha f32) (param $beta f32) (param $least f32)
    (param $out i32) (param $bounds i32) (result i32)
    (local $row i32) (local $end i32) (local $last i32) (local $next i32) (local $q i32) (local $p i32) (local $lane i32) (local $at i32) (local $gap i32) (local $bound f32)
    (local $a v128)
    (local.set $next (local.get $out))
    (local.set $gap (i32.sub (local.get $bounds) (local.get $out)))
    (local.set $last (i32.add (local.get $list) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $end (i32.add (local.get $query) (i32.shl (local.get $stride) (i32.const 1))))
    (block $done
      (loop $rows
        (br_if $done (i32.ge_u (local.get $list) (local.get $last)))
        (local.set $row (i32.load (local.get $list)))
        (local.set $lane (i32.and (local.get $row) (i32.const 3)))
        (local.set $p (i32.add
          (i32.add (local.get $codes) (i32.shl (local.get $lane) (i32.const 3)))
          (i32.mul (i32.sub (local.get $row) (local.get $lane)) (local.get $stride))))
        (local.set $a (v128.const i32x4 0 0 0 0))
        (local.set $q (local.get $query))
        (loop $components
          (local.set $a (i32x4.add (local.get $a)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $p)) (v128.load (local.get $q)))))
          (local.set $p (i32.add (local.get $p) (i32.const 32)))
          (local.set $q (i32.add (local.get $q) (i32.const 16)))
          (br_if $components (i32.lt_u (local.get $q) (local.get $end))))
        (local.set $at (i32.shl (local.get $row) (i32.const 2)))
        (local.set $bound
          (f32.add
            (f32.mul
              (f32.mul
                (f32.convert_i32_s (i32.add
                  (i32.add (i32x4.extract_lane 0 (local.get $a)) (i32x4.extract_lane 1 (local.get $a)))
                  (i32.add (i32x4.extract_lane 2 (local.get $a)) (i32x4.extract_lane 3 (local.get $a)))))
                (local.get $alpha))
              (f32.load (i32.add (local.get $scales) (local.get $at))))
            (f32.add
              (f32.mul (local.get $beta) (f32.load (i32.add (local.get $errors) (local.get $at))))
              (f32.load (i32.add (local.get $offsets) (local.get $at))))))
        (i32.store (local.get $next) (local.get $row))
        (f32.store (i32.add (local.get $next) (local.get $gap)) (local.get $bound))
        (local.set $next (i32.add (local.get $next)
          (i32.shl (i32.eqz (f32.lt (local.get $bound) (local.get $least))) (i32.const 2))))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (br $rows)))
    (i32.shr_u (i32.sub (local.get $next) (local.get $out)) (i32.const 2))))
